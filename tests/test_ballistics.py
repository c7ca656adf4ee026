"""The meter reads known signals right, falls slowly, and holds peaks and clipping for a while."""

import numpy as np
import pytest

from gui.ballistics import (
    CLIP_HOLD_SECONDS,
    FALL_DB_PER_SECOND,
    FLOOR_DBFS,
    PEAK_HOLD_SECONDS,
    Level,
    MeterBallistics,
)
from realtime.ring import Samples
from tests.signals import cut, tone

RATE_HZ = 48_000


def level_after(meter: MeterBallistics, signal: Samples, block: int = 480) -> Level:
    """What the meter shows after `signal`, heard in blocks."""
    return [meter.push(part) for part in cut(signal, [block])][-1]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


@pytest.mark.parametrize("block", [64, 480, 4096])
def test_a_sine_of_minus_twenty_reads_peak_minus_20_and_rms_minus_23(block: int) -> None:
    sine = 0.2 * tone(3 * RATE_HZ, RATE_HZ, 1000.0)
    level = level_after(MeterBallistics(RATE_HZ), sine, block)
    assert level.peak_dbfs == pytest.approx(-20.0, abs=0.01)
    assert level.rms_dbfs == pytest.approx(-23.01, abs=0.1)
    assert not level.clipped


def test_a_peak_shows_at_once_and_falls_at_the_standard_pace() -> None:
    meter = MeterBallistics(RATE_HZ)
    click = silence(0.01)
    click[7] = -0.5
    assert meter.push(click).peak_dbfs == pytest.approx(-6.02, abs=0.01)
    later = level_after(meter, silence(1.0))
    assert later.peak_dbfs == pytest.approx(-6.02 - FALL_DB_PER_SECOND, abs=0.1)


def test_the_highest_peak_stays_for_its_time() -> None:
    meter = MeterBallistics(RATE_HZ)
    meter.push(0.5 * np.ones(480, np.float32))
    assert level_after(meter, silence(PEAK_HOLD_SECONDS - 0.1)).held_peak_dbfs == pytest.approx(
        -6.02, abs=0.01
    )
    assert level_after(meter, silence(0.2)).held_peak_dbfs < -20.0


@pytest.mark.parametrize("loudest", [32767 / 32768, -1.0, 1.5])
def test_the_clip_light_holds_and_then_goes_out(loudest: float) -> None:
    meter = MeterBallistics(RATE_HZ)
    assert meter.push(np.full(1, loudest, np.float32)).clipped
    assert level_after(meter, silence(CLIP_HOLD_SECONDS - 0.1)).clipped
    assert not level_after(meter, silence(0.2)).clipped


def test_loud_but_whole_sound_does_not_light_it() -> None:
    assert not MeterBallistics(RATE_HZ).push(np.full(480, 0.999, np.float32)).clipped


def test_silence_and_nothing_read_the_floor() -> None:
    meter = MeterBallistics(RATE_HZ)
    assert meter.push(silence(0.0)) == Level()
    assert meter.push(silence(1.0)) == Level()
    assert Level().peak_dbfs == FLOOR_DBFS
