"""The fine structure of a mask begins as nothing, and learns to tell tones from noise around them."""

import torch
from torch import Tensor

from model.fine_gate import BINS, FineGate

FRAMES = 10


def features(seed: int) -> tuple[Tensor, Tensor]:
    """Some noise with tones in it, [4, frames, 1025], and where those are, of the lowest bins."""
    generator = torch.Generator().manual_seed(seed)
    tones = torch.rand(4, 1, BINS, generator=generator).expand(-1, FRAMES, -1) < 0.05
    noise = torch.randn(4, FRAMES, 1025, generator=generator)
    noise[..., :BINS] += 4 * tones
    return noise, tones.float()


def test_it_begins_by_adding_nothing() -> None:
    heard, _ = features(1)
    assert not FineGate(8)(heard, torch.randn(4, FRAMES, 8)).any()


def test_it_learns_which_bins_stand_out() -> None:
    torch.manual_seed(0)
    gate = FineGate(8)
    optimizer, hidden = torch.optim.Adam(gate.parameters(), lr=0.02), torch.zeros(4, FRAMES, 8)
    for step in range(60):
        heard, tones = features(step)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(gate(heard, hidden), tones)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    heard, tones = features(1000)
    right = (gate(heard, hidden) > 0) == (tones > 0)
    assert right.float().mean() > 0.98


def test_what_is_known_of_a_frame_decides_what_it_looks_for() -> None:
    torch.manual_seed(0)
    gate = FineGate(8)
    for layer in (gate.scale, gate.shift, gate.judge):
        torch.nn.init.normal_(layer.weight)
    heard, hidden = features(1)[0], torch.randn(4, FRAMES, 8)
    changed = hidden.clone()
    changed[:, 5] *= -1
    difference = (gate(heard, changed) - gate(heard, hidden)).abs().amax((0, 2))
    assert (difference > 1e-4).tolist() == [3 <= frame <= 7 for frame in range(FRAMES)]
