"""Before any training the codec is a working transform codec of its lowest bands."""

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from model.codec import CodecConfig, build_dac
from model.codec_start import (
    balance_channels,
    start_as_filter_bank,
    start_codebooks,
    wake,
)
from model.lapped_transform import band_split, mdct_kernels
from model.plan import SAMPLE_RATE_HZ
from tests.codecs import banded_codec
from tests.signals import noise, tone
from tests.voice import voice

# 32 channels a frame: the bands from 0 to 1378 Hz, each 43 Hz wide.
CONFIG = banded_codec(codebook_size=64)
IN_MORE_STEPS = CONFIG.model_copy(update={"decoder_dim": 512, "decoder_rates": (2, 2, 32, 4)})
TOP_HZ = 1378.0
SECOND = 86 * 512


def started(config: CodecConfig = CONFIG) -> Any:
    torch.manual_seed(0)
    dac = build_dac(config).eval().requires_grad_(False)
    start_as_filter_bank(dac)
    return dac


def audio(samples: np.ndarray[Any, np.dtype[np.float32]]) -> Tensor:
    """[1, 1, SECOND]."""
    return torch.from_numpy(samples[:SECOND])[None, None]


def snr_db(output: Tensor, reference: Tensor) -> float:
    """Edges left out: the frames there lack a neighbour."""
    inner = slice(4 * 512, -4 * 512)
    error = (output - reference)[..., inner].square().sum()
    return float(10 * torch.log10(reference[..., inner].square().sum() / error))


def band(low_hz: float, high_hz: float) -> Tensor:
    sos = scipy.signal.butter(8, (low_hz, high_hz), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return audio(scipy.signal.sosfilt(sos, noise(SECOND)).astype(np.float32))


def test_the_transform_is_orthonormal_and_its_overlaps_cancel() -> None:
    kernels = mdct_kernels(8).double()
    torch.testing.assert_close(kernels @ kernels.T, torch.eye(8).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        kernels[:, :8] @ kernels[:, 8:].T, torch.zeros(8, 8).double(), atol=1e-5, rtol=0
    )


def test_a_split_keeps_children_in_order_of_frequency() -> None:
    split = band_split(2, 16, 8)
    assert split.shape == (16, 2, 16)
    for child in range(16):
        parent, kernel = divmod(child, 8)
        expected = mdct_kernels(8)[kernel if parent == 0 else 7 - kernel]
        assert torch.equal(split[child, parent], expected)
        assert not split[child, 1 - parent].any()


@pytest.mark.parametrize("hz", [200.0, 1000.0])
def test_a_tone_in_the_covered_bands_survives(hz: float) -> None:
    dac, sound = started(), audio(0.2 * tone(SECOND, hz=hz))
    assert snr_db(dac.decoder(dac.encoder(sound)), sound) > 10


def test_noise_survives_in_the_covered_bands_alone() -> None:
    dac = started()
    covered, above = band(200.0, 1000.0), band(4000.0, 10_000.0)
    assert snr_db(dac.decoder(dac.encoder(covered)), covered) > 10
    assert snr_db(dac.decoder(dac.encoder(above)), above) < 1


def test_a_decoder_that_goes_up_in_more_steps_makes_the_same_sound() -> None:
    latents = started().encoder(audio(voice(1.5)))
    sounds = [started(config).decoder(latents) for config in (CONFIG, IN_MORE_STEPS)]
    assert snr_db(sounds[1], sounds[0]) > 30


def test_snakes_that_are_to_learn_wake() -> None:
    dac = started(IN_MORE_STEPS)
    dac.decoder.model[1].requires_grad_(True)
    wake(dac)
    bent = [name for name, value in dac.named_parameters() if name.endswith("block.0.alpha") and value.any()]
    assert "decoder.model.1.block.0.alpha" in bent
    assert "decoder.model.2.block.0.alpha" not in bent


def test_channels_are_in_order_of_frequency() -> None:
    dac = started()
    loudest = [
        int(dac.encoder(audio(0.2 * tone(SECOND, hz=hz))).square().mean((0, 2)).argmax())
        for hz in (100.0, 400.0, 700.0, 1000.0, 1300.0)
    ]
    assert loudest == [round(hz / (TOP_HZ / 32) - 0.5) for hz in (100.0, 400.0, 700.0, 1000.0, 1300.0)]


def test_balancing_changes_the_latents_and_not_the_sound() -> None:
    dac, speech = started(), audio(voice(1.5))
    latents = dac.encoder(speech)
    before = dac.decoder(latents)
    balanced, gains = balance_channels(dac, latents)
    torch.testing.assert_close(dac.encoder(speech), balanced, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(dac.decoder(balanced), before, rtol=1e-3, atol=1e-3)
    assert float(balanced.square().mean().sqrt()) == pytest.approx(1.0, rel=1e-3)
    levels, balanced_levels = (x.square().mean((0, 2)).sqrt().log() for x in (latents, balanced))
    assert balanced_levels.std() < 0.8 * levels.std()
    torch.testing.assert_close(balanced / gains[:, None], latents)


def speech_latents(dac: Any) -> Tensor:
    """Of a voice without digital silence."""
    return balance_channels(dac, dac.encoder(audio(voice(1.5)[:SECOND] + 0.01 * noise(SECOND))))[0]


def test_each_codebook_brings_the_latents_of_speech_nearer() -> None:
    dac = started()
    latents = speech_latents(dac)
    start_codebooks(dac, latents)
    errors = [
        float((dac.quantizer(latents, n_quantizers=used)[0] - latents).square().mean())
        for used in range(1, 5)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.3


def test_rounds_of_fitting_bring_the_latents_of_speech_nearer() -> None:
    dac = started()
    latents = speech_latents(dac)
    left = [start_codebooks(dac, latents, rounds=rounds)[1].square().mean() for rounds in (0, 4)]
    assert left[1] < 0.9 * left[0]


def test_codes_are_the_nearest_entries() -> None:
    """DAC compares angles only; the constant coordinate makes that the same as distance."""
    dac = started()
    latents = speech_latents(dac)
    start_codebooks(dac, latents)
    first = dac.quantizer.quantizers[0]
    points = first.in_proj(latents)[0].T
    nearest = torch.cdist(points, first.codebook.weight).argmin(1)
    assert (dac.quantizer(latents)[1][0, 0] == nearest).float().mean() > 0.95
