"""Rate conversion keeps time exactly, whatever the blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.resample import Resampler, Varispeed
from tests.signals import cut, noise, tone

RATES = [(48_000, 44_100), (44_100, 48_000), (8_000, 44_100), (44_100, 192_000), (37_123, 44_100)]


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_blocks_do_not_change_the_result(from_hz: int, to_hz: int) -> None:
    signal = noise(from_hz // 2)
    whole = Resampler(from_hz, to_hz).push(signal)
    stream = Resampler(from_hz, to_hz)
    in_blocks = np.concatenate([stream.push(block) for block in cut(signal, [1, 700, 33, 4096])])
    np.testing.assert_array_equal(in_blocks, whole)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_keeps_time_exactly(from_hz: int, to_hz: int) -> None:
    stream = Resampler(from_hz, to_hz)
    out = np.concatenate([stream.push(tone(from_hz, from_hz)), stream.flush()])
    assert len(out) == to_hz
    middle = slice(to_hz // 4, -to_hz // 4)
    np.testing.assert_allclose(out[middle], tone(to_hz, to_hz)[middle], atol=1e-4)


@settings(deadline=None, max_examples=12)
@given(
    rate=st.integers(8_000, 192_000),
    up=st.booleans(),
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5),
)
def test_is_never_later_than_it_says(rate: int, up: bool, sizes: list[int]) -> None:
    from_hz, to_hz = (44_100, rate) if up else (rate, 44_100)
    stream, taken, released = Resampler(from_hz, to_hz), 0, 0
    for block in cut(noise(from_hz), sizes):
        taken += len(block)
        released += len(stream.push(block))
        assert released <= taken * to_hz / from_hz + 1
        assert taken * to_hz / from_hz - released <= stream.delay_samples


def test_equal_rates_pass_through_undelayed() -> None:
    stream, signal = Resampler(44_100, 44_100), noise(100)
    assert stream.delay_samples == 0
    np.testing.assert_array_equal(stream.push(signal), signal)
    assert len(stream.flush()) == 0


def test_reset_starts_over() -> None:
    stream, signal = Resampler(48_000, 44_100), noise(9_000)
    first = stream.push(signal)
    stream.push(noise(1_234, seed=1))
    stream.reset()
    np.testing.assert_array_equal(stream.push(signal), first)


@pytest.mark.parametrize("to_hz", [44_100, 48_000])
def test_a_speed_that_is_not_changed_is_the_nominal_one_from_the_start(to_hz: int) -> None:
    stream = Varispeed(44_100, to_hz)
    out = np.concatenate([stream.push(block) for block in cut(tone(44_100), [256])])
    assert len(out) == pytest.approx(to_hz - stream.delay_samples, abs=2)
    middle = slice(to_hz // 4, -to_hz // 4)
    np.testing.assert_allclose(out[middle], tone(len(out), to_hz)[middle], atol=0.03)  # two samples


def test_a_speed_is_changed_without_a_click() -> None:
    stream, blocks = Varispeed(44_100, 44_100), list(cut(tone(4 * 44_100), [256]))
    out = []
    for number, block in enumerate(blocks):
        stream.change(4e-4 * (-1) ** (number // 100))
        out.append(stream.push(block))
    sound = np.concatenate(out)[1000:]
    unlike_a_tone = sound[2:] - 2 * np.cos(2 * np.pi * 200 / 44_100) * sound[1:-1] + sound[:-2]
    assert np.abs(unlike_a_tone).max() < 1e-4
