"""The pass-through restorer returns the dry hop."""

import numpy as np

from model.plan import FRAME_SAMPLES, WindowPlan
from realtime.passthrough import PassThrough


def test_returns_hop_and_look_ahead() -> None:
    plan = WindowPlan(3, 2, 1, 256)
    window = np.arange(plan.window_samples, dtype=np.float32)
    out = PassThrough(plan).restore_window(window)
    np.testing.assert_array_equal(out, window[3 * FRAME_SAMPLES :])
    out[:] = 0
    assert window[-1] == plan.window_samples - 1
