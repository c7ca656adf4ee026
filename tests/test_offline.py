"""Recordings in memory come back aligned, and a model that fails is not passed over in silence."""

import numpy as np
import pytest

from model.plan import WindowPlan
from realtime.offline import restore_audio
from realtime.passthrough import PassThrough
from realtime.processor import StreamError
from realtime.ring import Samples
from tests.signals import noise

PLAN = WindowPlan(context_frames=4, hop_frames=4, lookahead_frames=2, fade_samples=441)


class Failing(PassThrough):
    """Fails on the third window."""

    windows = 0

    def restore_window(self, noisy: Samples) -> Samples:
        self.windows += 1
        if self.windows == 3:
            raise RuntimeError("out of memory")
        return super().restore_window(noisy)


@pytest.mark.parametrize("samples", [1, 511, 512, 20_000])
def test_result_is_aligned_and_as_long(samples: int) -> None:
    audio = noise(samples)
    np.testing.assert_array_equal(restore_audio(PassThrough(PLAN), audio), audio)


def test_failing_model_is_an_error() -> None:
    with pytest.raises(StreamError, match=r"The model failed \(out of memory\)"):
        restore_audio(Failing(PLAN), noise(20_000))
