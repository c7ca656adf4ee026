"""The running level by which a stream is normalised before the model, and restored after it."""

import numpy as np

from model.data import FloatArray

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
