"""Windows hold the samples the plan names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.plan import FRAME_SAMPLES, WindowPlan
from realtime.ring import Samples
from realtime.windows import WindowCutter

PLANS = [WindowPlan(3, 2, 1, 256), WindowPlan(0, 1, 0, 0), WindowPlan(1, 4, 6, 512)]


@pytest.mark.parametrize("plan", PLANS)
@settings(deadline=None, max_examples=10)
@given(sizes=st.lists(st.integers(0, 9_000), min_size=1, max_size=8))
def test_every_window_covers_its_samples(plan: WindowPlan, sizes: list[int]) -> None:
    stream = np.arange(1, sum(sizes) + 1, dtype=np.float32)
    cutter, start = WindowCutter(plan), 0
    windows: list[Samples] = []
    for size in sizes:
        windows.extend(cutter.push(stream[start : start + size]))
        start += size
    context = plan.context_frames * FRAME_SAMPLES
    padded = np.concatenate([np.zeros(context, np.float32), stream])
    assert len(windows) == max(0, (len(stream) - plan.lookahead_samples) // plan.hop_samples)
    for number, window in enumerate(windows):
        expected = padded[number * plan.hop_samples :][: plan.window_samples]
        np.testing.assert_array_equal(window, expected)


def test_a_window_comes_with_its_last_sample() -> None:
    plan = PLANS[0]
    cutter = WindowCutter(plan)
    assert list(cutter.push(np.ones(plan.latency_samples - 1, np.float32))) == []
    assert len(list(cutter.push(np.ones(1, np.float32)))) == 1


def test_reset_starts_over() -> None:
    plan, signal = PLANS[0], np.arange(5_000, dtype=np.float32)
    cutter = WindowCutter(plan)
    first = list(cutter.push(signal))
    cutter.reset()
    np.testing.assert_array_equal(list(cutter.push(signal)), first)
