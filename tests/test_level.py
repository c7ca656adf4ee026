"""The running level lifts a quiet voice to the reference, and leaves pauses in it alone."""

import itertools

import numpy as np
import pytest

from model.level import FLOOR_RMS, REFERENCE_RMS, RELEASE_S, RunningLevel, WindowGains
from model.plan import FRAME_SAMPLES, WindowPlan
from realtime.ring import Samples
from tests.signals import noise, windows

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


PLAN = WindowPlan(context_frames=6, hop_frames=4, lookahead_frames=3, fade_samples=0)


def window_gains(audio: Samples) -> list[Samples]:
    gains = WindowGains(PLAN)
    return [gains.follow(window).copy() for window in windows(audio, PLAN)]


def test_a_sample_keeps_its_gain() -> None:
    growing = noise(40 * FRAME_SAMPLES) * np.linspace(0.1, 1, 40 * FRAME_SAMPLES, dtype=np.float32)
    gains, hop = window_gains(growing), PLAN.hop_samples
    for earlier, later in itertools.pairwise(gains):
        np.testing.assert_array_equal(later[:-hop], earlier[hop:])
        assert later[-1] < earlier[-1]


def test_a_new_gain_is_there_after_a_frame_and_without_a_step() -> None:
    audio = noise(19 * FRAME_SAMPLES)
    audio[11 * FRAME_SAMPLES :] *= 10  # where the third window begins to hear it
    newest = window_gains(audio)[2][-PLAN.hop_samples - 1 :]
    assert newest[0] > 5 * newest[FRAME_SAMPLES + 1]
    assert np.abs(np.diff(newest)).max() < 0.01 * newest[0]
    assert np.ptp(newest[FRAME_SAMPLES + 1 :]) == 0


def test_gains_begin_anew_after_a_reset() -> None:
    gains = WindowGains(PLAN)
    first = [gains.follow(window).copy() for window in windows(noise(19 * FRAME_SAMPLES), PLAN)]
    gains.reset()
    again = [gains.follow(window).copy() for window in windows(noise(19 * FRAME_SAMPLES), PLAN)]
    np.testing.assert_array_equal(again, first)
