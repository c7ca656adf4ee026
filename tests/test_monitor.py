"""A monitor plays without a break whatever its device's clock does."""

import numpy as np
import pytest

from realtime.mixer import BLOCK_FRAMES
from realtime.monitor import Monitor
from realtime.ring import Samples
from tests.signals import tone

RATE_HZ, DEVICE_BLOCK = 44_100, 441


@pytest.mark.parametrize("drift", [-2e-4, 0.0, 2e-4])
def test_a_clock_that_drifts_is_followed_without_a_click(drift: float) -> None:
    monitor, sound = Monitor(RATE_HZ), tone(60 * RATE_HZ)
    out = np.zeros(DEVICE_BLOCK, np.float32)
    played: list[Samples] = []
    for start in range(0, len(sound), BLOCK_FRAMES):
        monitor.push(sound[start : start + BLOCK_FRAMES])
        while len(played) * DEVICE_BLOCK < (start + BLOCK_FRAMES) * (1 + drift):
            monitor.playback(out, 0.0)
            played.append(out.copy())
    heard = np.concatenate(played)[RATE_HZ:]
    assert np.abs(np.diff(heard)).max() < 1.05 * np.abs(np.diff(sound)).max()
    loudest_of_each_block = np.abs(heard[: len(heard) // DEVICE_BLOCK * DEVICE_BLOCK].reshape(-1, 441)).max(1)
    assert loudest_of_each_block.min() > 0.45
