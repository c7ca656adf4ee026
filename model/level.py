"""The running level by which a stream is normalised before the model, and restored after it."""

import numpy as np

from model.arrays import FloatArray
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ, WindowPlan

REFERENCE_RMS = 0.06
FLOOR_RMS = 0.002  # quieter input is not raised any further: 30 dB of gain at most
RELEASE_S = 3.0


class RunningLevel:
    """Follows the loudness of a stream: up at once, down over seconds, so that pauses are not pumped up."""

    def __init__(self) -> None:
        self._rms = 0.0

    def gain(self, samples: FloatArray, duration_s: float) -> float:
        """The factor that brings the stream to the reference level, now that `samples` are its newest part.

        `duration_s` is the time since the last call.
        """
        loudest = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
        self._rms = max(loudest, self._rms * np.exp(-duration_s / RELEASE_S))
        return REFERENCE_RMS / max(self._rms, FLOOR_RMS)


class WindowGains:
    """Gains for the samples of a stream's windows; a sample keeps the one it was first heard with.

    What was computed of the past so stays valid when the level changes.
    """

    def __init__(self, plan: WindowPlan) -> None:
        self._plan = plan
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self._level, self._gains = RunningLevel(), np.zeros(0, np.float32)

    def follow(self, noisy: FloatArray) -> FloatArray:
        """Those of the next window, all float32 [window_samples]."""
        hop = self._plan.hop_samples
        newest = noisy[-hop - self._plan.lookahead_samples :]
        gain = self._level.gain(newest, hop / SAMPLE_RATE_HZ)
        if len(self._gains):
            ramp = np.interp(np.arange(hop), [0, FRAME_SAMPLES], [self._gains[-1], gain])
            self._gains = np.append(self._gains[hop:], ramp.astype(np.float32))
        else:
            self._gains = np.full(len(noisy), gain, np.float32)
        return self._gains
