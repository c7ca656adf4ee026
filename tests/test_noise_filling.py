"""Where tokens carry no waveform, the codec plays noise that is as loud as speech is there."""

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from model.codec import build_dac
from model.codec_start import start_as_filter_bank
from model.noise_filling import BAND_HZ, NoiseFilling, powers_by_entry
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from tests.codecs import banded_codec
from tests.signals import noise

REGIONS = 4
SHAPE = {"encoder_rates": (4, 128), "decoder_rates": (2, 2, 32, 4), "decoder_dim": 512}
CONFIG = banded_codec(32).model_copy(update=SHAPE)
FILLING = NoiseFilling(32 - REGIONS, REGIONS)
FRAMES = 172


def started() -> Any:
    torch.manual_seed(0)
    dac = build_dac(CONFIG).eval().requires_grad_(False)
    start_as_filter_bank(dac, REGIONS)
    return dac


def shares(sound: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of the power of `sound`, what lies in each region."""
    hz, power = scipy.signal.welch(sound.flatten().numpy(), SAMPLE_RATE_HZ, nperseg=2048)
    parts = [power[(hz >= span.start * BAND_HZ) & (hz < span.stop * BAND_HZ)].sum() for span in FILLING.spans]
    return np.array(parts) / power.sum()


@pytest.mark.parametrize("region", range(REGIONS))
def test_each_channel_sounds_in_its_region_with_the_power_it_is_given(region: int) -> None:
    dac, generator = started(), torch.Generator().manual_seed(1)
    latents = torch.zeros(1, 32, FRAMES)
    latents[0, FILLING.carried + region] = torch.randn(FRAMES, generator=generator)
    sound = dac.decoder(latents)[..., FRAME_SAMPLES:-FRAME_SAMPLES]
    assert shares(sound)[region] > 0.9
    assert float(sound.square().mean() * FRAME_SAMPLES) == pytest.approx(1.0, rel=0.3)


def test_noise_has_no_pitch_of_the_hop() -> None:
    dac, generator = started(), torch.Generator().manual_seed(1)
    latents = torch.zeros(1, 32, FRAMES)
    latents[0, FILLING.carried :] = torch.randint(2, (REGIONS, FRAMES), generator=generator) * 2.0 - 1
    sound = dac.decoder(latents).flatten()
    later = sound[FRAME_SAMPLES:] @ sound[:-FRAME_SAMPLES] / sound.square().sum()
    assert abs(float(later)) < 0.2


def test_noise_beside_waves_is_softer_than_what_is_missing() -> None:
    ship_shape = NoiseFilling(carried=184, regions=8)
    waves = [span.start * BAND_HZ < 7900 for span in ship_shape.spans]
    assert ship_shape.shares.tolist() == [0.5 if beside else 1.0 for beside in waves]
    assert any(waves) and not all(waves)


def test_powers_of_speech_are_those_of_its_regions() -> None:
    sos = scipy.signal.butter(8, (9_500, 13_000), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    sound = torch.from_numpy(scipy.signal.sosfilt(sos, noise(FRAMES * FRAME_SAMPLES)).astype(np.float32))
    powers = FILLING.not_carried(sound[None])[0].mean(0)
    assert float(powers[1] / powers.sum()) > 0.95
    assert float(powers.sum()) == pytest.approx(float(sound.square().mean() * FRAME_SAMPLES), rel=0.05)


def test_a_narrow_recording_says_nothing_of_what_lies_above_it() -> None:
    known = FILLING.known(torch.tensor([22_050, 12_000, 3_000]))
    assert known.tolist() == [[True] * 4, [True, False, False, False], [False] * 4]


def test_the_powers_of_entries_are_found_from_sound() -> None:
    """Levels 30 dB apart, of which two codebooks tell, come back within a decibel."""
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(8, (2, 50_000), generator=generator)
    true = 10 ** (-3 * torch.rand(2, 8, REGIONS, generator=generator))
    expected = true[0][tokens[0]] + true[1][tokens[1]]
    powers = expected * torch.randn(expected.shape, generator=generator).square()
    known = torch.ones(powers.shape, dtype=torch.bool)
    known[:, 3] = False
    found = powers_by_entry(tokens, torch.where(known, powers, 100.0), known, 8)
    told = found[0][tokens[0]] + found[1][tokens[1]]
    errors_db = 10 * (told[:, :3] / expected[:, :3]).log10()
    assert float(errors_db.abs().mean()) < 1.0
    assert float(found[..., 3].sum()) < 1e-3
