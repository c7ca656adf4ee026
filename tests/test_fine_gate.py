"""The fine structure of a mask begins as nothing, and learns to tell tones from noise around them."""

import pytest
import torch
from torch import Tensor, nn

from model.fine_gate import BINS, MARGIN_FRAMES, FineGate

FRAMES, MIDDLE = 41, 20


def features(seed: int, frames: int = FRAMES) -> tuple[Tensor, Tensor]:
    """Some noise with tones in it, [4, frames, 1025], and where those are, of the lowest bins."""
    generator = torch.Generator().manual_seed(seed)
    tones = torch.rand(4, 1, BINS, generator=generator).expand(-1, frames, -1) < 0.05
    noise = torch.randn(4, frames, 1025, generator=generator)
    noise[..., :BINS] += 4 * tones
    return noise, tones.float()


def test_it_begins_by_adding_nothing() -> None:
    heard, _ = features(1)
    assert not FineGate(8)(heard, torch.randn(4, FRAMES, 8)).any()


def test_it_learns_which_bins_stand_out() -> None:
    torch.manual_seed(0)
    gate = FineGate(8)
    optimizer, hidden = torch.optim.Adam(gate.parameters(), lr=0.01), torch.zeros(4, 10, 8)
    for step in range(100):
        heard, tones = features(step, 10)
        loss = nn.functional.binary_cross_entropy_with_logits(gate(heard, hidden), tones)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    heard, tones = features(1000, 10)
    right = (gate(heard, hidden) > 0) == (tones > 0)
    assert right.float().mean() > 0.98


def test_what_is_known_of_a_frame_decides_what_it_looks_for() -> None:
    heard, hidden = features(1)[0], torch.randn(4, FRAMES, 8)
    changed = hidden.clone()
    changed[:, MIDDLE] *= -1
    assert changed_frames(heard, hidden, heard, changed).abs().max() == MARGIN_FRAMES - 1


def test_a_bin_is_judged_by_no_more_frames_than_it_says() -> None:
    heard, hidden = features(1)[0], torch.randn(4, FRAMES, 8)
    changed = heard.clone()
    changed[:, MIDDLE] += 3.0
    assert changed_frames(heard, hidden, changed, hidden).abs().max() == MARGIN_FRAMES


def test_it_judges_the_same_in_half_precision() -> None:
    heard, hidden = features(1)[0], torch.randn(4, FRAMES, 8)
    gate = random_gate()
    exact = gate(heard, hidden)
    rounded = gate.bfloat16()(heard, hidden).float()
    assert (rounded - exact).norm() < 0.05 * exact.norm()


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-6), (torch.bfloat16, 0.02)])
@torch.no_grad()
def test_a_packed_one_judges_the_same_of_any_number_of_frames(dtype: torch.dtype, tolerance: float) -> None:
    if dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("the CPU does not multiply bf16")
    plain, packed = random_gate().to(dtype), random_gate().to(dtype)
    packed.pack()
    for frames in (FRAMES, 7, FRAMES):
        heard, hidden = features(1, frames)[0], torch.randn(4, frames, 8)
        expected = plain(heard, hidden).float()
        error = packed(heard, hidden).float() - expected
        assert error.norm() < tolerance * expected.norm()


def changed_frames(heard: Tensor, hidden: Tensor, other_heard: Tensor, other_hidden: Tensor) -> Tensor:
    """In which frames a gate that looks everywhere judges otherwise, relative to the middle."""
    gate = random_gate()
    difference = (gate(other_heard, other_hidden) - gate(heard, hidden)).abs().amax((0, 2))
    return difference.gt(0).nonzero() - MIDDLE


def random_gate() -> FineGate:
    torch.manual_seed(0)
    gate = FineGate(8)
    for parameter in gate.parameters():
        nn.init.normal_(parameter, std=0.3)
    return gate
