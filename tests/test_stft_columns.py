"""Columns stand for the right time and frequency, at every rate and however the signal is cut."""

import numpy as np
import pytest

from gui.stft_columns import FLOOR_DB, HOP_SECONDS, TOP_HZ, WINDOW_SECONDS, Decibels, StftColumns
from realtime.ring import Samples
from tests.signals import cut, noise, tone

ROWS = 256


def columns_of(signal: Samples, rate_hz: int = 44_100, sizes: tuple[int, ...] = (1000,)) -> Decibels:
    stft = StftColumns(rate_hz, ROWS)
    return np.concatenate([stft.push(part) for part in cut(signal, list(sizes))])


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("hz", [440.0, 3_000.0])
def test_a_sine_lies_in_its_row_with_its_level(rate_hz: int, hz: float) -> None:
    column = columns_of(tone(rate_hz, rate_hz, hz), rate_hz)[-1]
    assert np.argmax(column) == pytest.approx(hz * ROWS / TOP_HZ, abs=1.0)
    assert column.max() == pytest.approx(-6.0, abs=1.5)


def test_a_chirp_climbs_through_the_rows_in_time() -> None:
    rate_hz, seconds = 44_100, 2.0
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    chirp = np.sin(np.pi * 20_000.0 / seconds * times**2).astype(np.float32)
    columns = columns_of(chirp)[10:]
    centres = (np.arange(10, 10 + len(columns)) + 1) * HOP_SECONDS - WINDOW_SECONDS / 2
    expected = 20_000.0 / seconds * centres * ROWS / TOP_HZ
    assert np.abs(columns.argmax(axis=1) - expected).max() <= 2.0


def test_how_the_signal_is_cut_does_not_matter() -> None:
    signal = noise(20_000)
    assert np.array_equal(columns_of(signal, sizes=(20_000,)), columns_of(signal, sizes=(1, 700, 513, 3000)))


def test_what_a_low_rate_cannot_hold_is_dark() -> None:
    column = columns_of(noise(8_000), 8_000)[-1]
    top = round(4_000 * ROWS / TOP_HZ) + 1
    assert column[: top - 2].min() > FLOOR_DB and np.all(column[top:] == FLOOR_DB)


def test_what_lies_above_the_axis_is_left_out() -> None:
    assert columns_of(tone(96_000, 96_000, 30_000.0), 96_000)[-1].max() < -80.0


def test_silence_is_the_floor() -> None:
    assert np.all(columns_of(np.zeros(4096, np.float32)) == FLOOR_DB)
