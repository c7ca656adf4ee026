"""A decoder whose treble is too soft is made as loud as speech there, and nowhere else."""

from typing import Any

import pytest
import torch
from torch import Tensor

from model.codec import build_dac
from model.codec_start import start_as_filter_bank
from model.plan import SAMPLE_RATE_HZ
from model.treble import FIRST_HZ, TrebleMatch
from tests.codecs import banded_codec

SAMPLES = 64 * 512
FULL_BAND_HZ = torch.tensor([22_050])


@pytest.fixture
def dac() -> Any:
    torch.manual_seed(0)
    shape = {"encoder_rates": (4, 128), "decoder_dim": 512, "decoder_rates": (2, 2, 32, 4)}
    dac = build_dac(banded_codec(16).model_copy(update=shape)).eval().requires_grad_(False)
    start_as_filter_bank(dac, 4)
    return dac


def noise(seed: int) -> Tensor:
    return 0.06 * torch.randn(1, SAMPLES, generator=torch.Generator().manual_seed(seed))


def softer_above(sound: Tensor, hz: float, factor: float) -> Tensor:
    frequencies_hz = torch.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE_HZ)
    return torch.fft.irfft(torch.fft.rfft(sound) * torch.where(frequencies_hz > hz, factor, 1.0))


def test_treble_that_is_too_soft_becomes_as_loud_as_that_of_speech(dac: Any) -> None:
    match = TrebleMatch(dac)
    match.hear(softer_above(noise(1), 12_000, 0.5), noise(2), FULL_BAND_HZ)
    gains = match.apply()
    channel_hz = SAMPLE_RATE_HZ / 2 / len(gains)
    low, high = round(FIRST_HZ / channel_hz), round(12_000 / channel_hz)
    assert (gains[:low] == 1).all()
    assert gains[low + 5 : high - 10].mean().item() == pytest.approx(1.0, abs=0.1)
    assert gains[high + 10 :].mean().item() == pytest.approx(2.0, rel=0.1)


def test_the_decoder_then_is_as_loud(dac: Any) -> None:
    latents = torch.zeros(1, 32, 64)
    latents[:, -4:] = torch.randn(1, 4, 64, generator=torch.Generator().manual_seed(3))
    before = dac.decoder(0.1 * latents)[:, 0]
    match = TrebleMatch(dac)
    match.hear(before, 2 * before, FULL_BAND_HZ)
    match.apply()
    after = dac.decoder(0.1 * latents)[:, 0]
    treble = torch.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE_HZ) > FIRST_HZ + 500
    powers = [torch.fft.rfft(sound)[:, treble].abs().square().sum().item() for sound in (before, after)]
    assert powers[1] / powers[0] == pytest.approx(4.0, rel=0.1)


def test_narrow_recordings_tell_nothing_of_what_lies_above(dac: Any) -> None:
    match = TrebleMatch(dac)
    match.hear(noise(1), softer_above(noise(2), 15_000, 100.0), torch.tensor([15_000]))
    gains = match.apply()
    assert (gains[round(16_000 / (SAMPLE_RATE_HZ / 2) * len(gains)) :] == 1).all()
