"""Streaming sample-rate conversion with an exact time axis."""

from functools import lru_cache
from math import ceil

import numpy as np
import soxr

from realtime.ring import Samples

PROBE_BLOCK = 16  # samples
PROBE_SECONDS = 1.0  # several of soxr's internal blocks at every rate
PROBE_SAMPLES = 4096
MAX_SPEED = 1.01
SLEW_SAMPLES = 4096  # over which a new rate is taken


class Resampler:
    """Converts a mono stream; output sample k stands for the instant k / `to_hz` of the input.

    soxr removes the delay of its own linear-phase filter and releases samples late and in bursts instead.
    What it releases, and when, depends only on how many samples have gone in, not on how they were cut
    into blocks. `delay_samples` bounds the lateness in output samples. Equal rates pass straight through.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.delay_samples = _release_delay_samples(from_hz, to_hz)
        self._stream = _open(from_hz, to_hz) if from_hz != to_hz else None

    def push(self, block: Samples) -> Samples:
        """Take float32 `block` in; return what can be released, often nothing."""
        if self._stream is None:
            return block
        return self._stream.resample_chunk(block)

    def flush(self) -> Samples:
        """End the stream: return the samples still held. Call `reset` before pushing again."""
        rest = np.zeros(0, np.float32)
        return rest if self._stream is None else self._stream.resample_chunk(rest, last=True)

    def reset(self) -> None:
        """Return to the start of a stream."""
        if self._stream is not None:
            self._stream.clear()


def _open(from_hz: int, to_hz: int) -> soxr.ResampleStream:
    return soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")


@lru_cache(maxsize=64)
def _release_delay_samples(from_hz: int, to_hz: int) -> int:
    """The most output samples ever owed, found by running silence through in small blocks.

    Owing is counted to the end of each block before its release, which covers every block size; two
    samples are added because the phase of the rate ratio drifts by fractions of a sample over hours.
    """
    if from_hz == to_hz:
        return 0
    stream, silence = _open(from_hz, to_hz), np.zeros(PROBE_BLOCK, np.float32)
    released, owed = 0, 0.0
    for taken in range(PROBE_BLOCK, int(from_hz * PROBE_SECONDS), PROBE_BLOCK):
        owed = max(owed, taken * to_hz / from_hz - released)
        released += len(stream.resample_chunk(silence))
    return int(np.ceil(owed)) + 2


class Varispeed:
    """Converts a mono stream at a rate that can be changed a little at any time, without a click.

    Its output is `delay_samples` late, in output samples.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz, self._to_hz = from_hz, to_hz
        self._stream = soxr.ResampleStream(
            from_hz * MAX_SPEED, to_hz, 1, dtype="float32", quality="HQ", vr=True
        )
        self.delay_samples = self._measure_delay()
        self._stream.set_io_ratio(from_hz, to_hz)  # without a slew, which would begin at the highest speed

    def change(self, rate_change: float) -> None:
        """Take the input faster by the fraction `rate_change`, at most 1 %, and slower if it is negative."""
        self._stream.set_io_ratio(self._from_hz * (1.0 + rate_change), self._to_hz, SLEW_SAMPLES)

    def push(self, block: Samples) -> Samples:
        """Take float32 `block` in; return what can be released."""
        return self._stream.resample_chunk(block)

    def _measure_delay(self) -> int:
        """How much is owed at the nominal rate."""
        self._stream.set_io_ratio(self._from_hz, self._to_hz)
        released = len(self._stream.resample_chunk(np.zeros(PROBE_SAMPLES, np.float32)))
        self._stream.clear()
        return ceil(PROBE_SAMPLES * self._to_hz / self._from_hz) - released
