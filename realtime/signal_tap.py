"""The newest seconds of a live session's two signals, for whoever wants to look at them."""

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.mixer import Mix
from realtime.ring import Ring, Samples, SharedRing

CAPACITY_SECONDS = 12


class SignalTap:
    """The dry and the restored signal, in step with each other, in memory shared by processes.

    Give it to a process that is being started. One writes, any may read; nobody waits.
    """

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self) -> None:
        self._dry, self._restored = (SharedRing(CAPACITY_SECONDS * SAMPLE_RATE_HZ) for _ in range(2))

    @property
    def written(self) -> int:
        """Frames so far."""
        return self._restored.written

    def write(self, mix: Mix) -> None:
        """Append a block of each signal."""
        self._dry.write(mix.dry)
        self._restored.write(mix.restored)

    def read(self, position: int, frames: int) -> tuple[Samples, Samples]:
        """Both signals from `position` on, float32 [frames] each; zeros where they are not there."""
        return _read(self._dry, position, frames), _read(self._restored, position, frames)


def _read(ring: Ring, position: int, frames: int) -> Samples:
    out = np.zeros(frames, np.float32)
    start, end = max(position, ring.oldest), min(position + frames, ring.written)
    if start < end:
        out[start - position : end - position] = ring.read(start, end - start)
    out[: max(0, ring.oldest - position)] = 0.0  # what was written over meanwhile
    return out
