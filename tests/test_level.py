"""The running level lifts a quiet voice to the reference, and leaves pauses in it alone."""

import numpy as np
import pytest

from model.level import FLOOR_RMS, REFERENCE_RMS, RELEASE_S, RunningLevel
from tests.signals import noise

HOP = noise(4096)
HOP_RMS = float(np.sqrt(np.mean(HOP**2)))


@pytest.mark.parametrize("volume", [0.05, 0.3, 1.0, 5.0])
def test_first_hop_comes_to_the_reference_level(volume: float) -> None:
    gain = RunningLevel().gain(volume * HOP, 0.1)
    assert gain * volume * HOP_RMS == pytest.approx(REFERENCE_RMS)


def test_near_silence_is_raised_no_further_than_the_floor() -> None:
    assert RunningLevel().gain(1e-4 * HOP, 0.1) == pytest.approx(REFERENCE_RMS / FLOOR_RMS)
    assert RunningLevel().gain(0 * HOP, 0.1) == pytest.approx(REFERENCE_RMS / FLOOR_RMS)


def test_no_samples_count_as_silence() -> None:
    assert RunningLevel().gain(HOP[:0], 0.1) == pytest.approx(REFERENCE_RMS / FLOOR_RMS)


def test_louder_sound_takes_effect_at_once() -> None:
    level = RunningLevel()
    quiet = level.gain(0.1 * HOP, 0.1)
    assert level.gain(HOP, 0.1) == pytest.approx(quiet / 10)


def test_a_pause_is_not_pumped_up() -> None:
    level = RunningLevel()
    before = level.gain(HOP, 0.1)
    for _ in range(5):
        after = level.gain(0 * HOP, 0.1)
    assert before < after < 1.2 * before


@pytest.mark.parametrize("hop_s", [0.05, 0.2])
def test_the_level_falls_over_seconds_whatever_the_hop(hop_s: float) -> None:
    level = RunningLevel()
    before = level.gain(HOP, hop_s)
    for _ in range(round(RELEASE_S / hop_s)):
        after = level.gain(0.01 * HOP, hop_s)
    assert after / before == pytest.approx(np.e, rel=0.02)
