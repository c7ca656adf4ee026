"""The speech encoder passes on, attenuates and fills in what it is told to, frame by frame."""

import pytest
import torch
from torch import Tensor, nn

from model.plan import FRAME_SAMPLES
from model.speech_encoder import SpeechEncoder
from model.stft import BINS

FRAMES = 24


class Always(nn.Module):
    """In the place of a layer, for each bin of each frame: values [frames, 1025]."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self._values = values

    def forward(self, hidden: Tensor) -> Tensor:
        return self._values[-hidden.shape[1] :].expand(len(hidden), -1, -1)


def encoder(gate: Tensor | float = 20.0, filling: float = -20.0) -> SpeechEncoder:
    """One that passes on what `gate` says, and fills in what `filling` says, of every bin."""
    torch.manual_seed(0)
    encoder = SpeechEncoder(width=16, layers=1, heads=2, feed_forward=32).requires_grad_(False)
    encoder.gate = Always(torch.as_tensor(gate).expand(FRAMES, BINS))  # type: ignore[assignment]
    encoder.filling = Always(torch.full((FRAMES, BINS), filling))  # type: ignore[assignment]
    return encoder


def sound(seed: int = 1) -> Tensor:
    return torch.randn(2, FRAMES * FRAME_SAMPLES, generator=torch.Generator().manual_seed(seed))


def test_what_is_passed_on_stays_as_it_was() -> None:
    enhanced, _, known = encoder()(sound(), sound(2))
    torch.testing.assert_close(enhanced, sound(), rtol=0, atol=1e-4)
    assert known.shape == (2, FRAMES, 16)


@pytest.mark.parametrize("first_frame", [1, 9, FRAMES - 1])
def test_the_newest_frames_are_those_of_the_whole(first_frame: int) -> None:
    gate = torch.randn(FRAMES, BINS, generator=torch.Generator().manual_seed(5))
    hears = encoder(gate, -1.0)
    for parameter in hears.fine_gate.parameters():
        nn.init.normal_(parameter, std=0.2)
    whole, _, all_known = hears(sound(), sound(2))
    newest, _, known = hears(sound(), sound(2), first_frame)
    torch.testing.assert_close(known, all_known[:, first_frame:], rtol=1e-4, atol=1e-5)
    assert newest.shape[1] == (FRAMES - first_frame) * FRAME_SAMPLES
    settled = min(5, FRAMES - first_frame) * FRAME_SAMPLES  # before, more of the past would be heard
    start = first_frame * FRAME_SAMPLES + settled
    torch.testing.assert_close(newest[:, settled:], whole[:, start:], rtol=0, atol=1e-4)


def test_a_gate_closes_over_its_own_codec_frame() -> None:
    gate = torch.full((FRAMES, BINS), 20.0)
    gate[9] = -20.0
    enhanced, _, _ = encoder(gate)(sound(), sound(2))
    lost = (enhanced - sound()).square().mean(0)
    centre = float((lost * torch.arange(len(lost))).sum() / lost.sum())
    assert centre == pytest.approx(9.5 * FRAME_SAMPLES, abs=0.1 * FRAME_SAMPLES)


def test_what_is_missing_sounds_like_the_noise() -> None:
    enhanced, _, _ = encoder(gate=-20.0, filling=1.0)(sound(), sound(2))
    level = nn.functional.softplus(torch.tensor(1.0)) / torch.hann_window(2048).norm()
    torch.testing.assert_close(enhanced, level * sound(2), rtol=0, atol=1e-5)


def test_what_is_heard_is_told_from_what_is_filled_in() -> None:
    assert encoder(gate=20.0, filling=-20.0)(sound(), sound(2)).heard.min() > 0.99
    assert encoder(gate=-20.0, filling=1.0)(sound(), sound(2)).heard.max() < 0.01


def test_normalisation_gives_each_bin_mean_zero_and_deviation_one() -> None:
    heard: list[Tensor] = []
    listener = encoder()
    listener.expand.register_forward_hook(lambda module, inputs, output: heard.append(inputs[0]))
    loud_and_soft = sound() * torch.tensor([[1.0], [0.1]])
    listener.set_normalisation(loud_and_soft)
    listener(loud_and_soft, sound(2))
    features = heard[0].flatten(0, 1)
    assert features.mean(0).abs().max() < 1e-3
    assert (features.std(0) - 1).abs().max() < 0.02
