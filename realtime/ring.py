"""The recent past of an endless stream of samples."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class Ring:
    """Keeps the newest `capacity` samples of a stream; a sample is named by its position in the stream.

    Positions before the start of the stream hold zeros, so a delay is a read at an earlier position and
    needs no filling beforehand. One thread may write while others read: a write publishes its samples by
    advancing `written` last, takes no lock and allocates no sample memory.
    """

    def __init__(self, capacity: int) -> None:
        self._samples: Samples = np.zeros(capacity, np.float32)
        self.written = 0

    @property
    def capacity(self) -> int:
        return len(self._samples)

    @property
    def oldest(self) -> int:
        """Position of the oldest sample still held."""
        return max(0, self.written - self.capacity)

    def write(self, block: Samples) -> None:
        """Append float32 `block`, forgetting the oldest samples. Raises ValueError above `capacity`."""
        count = len(block)
        if count > self.capacity:
            raise ValueError(f"a block of {count} samples does not fit a ring of {self.capacity}")
        at = self.written % self.capacity
        head = min(count, self.capacity - at)
        self._samples[at : at + head] = block[:head]
        self._samples[: count - head] = block[head:]
        self.written += count

    def read(self, start: int, count: int) -> Samples:
        """A copy of the samples at positions `start` to `start + count`. Raises IndexError as `read_into`."""
        out: Samples = np.empty(count, np.float32)
        self.read_into(start, out)
        return out

    def read_into(self, start: int, out: Samples) -> None:
        """Fill `out` from position `start` on.

        Raises IndexError when some of it is not written yet, or already forgotten.
        """
        count = len(out)
        silent = min(count, max(0, -start))
        if start + count > self.written or max(start, 0) < self.oldest:
            raise IndexError(f"samples {start}..{start + count} are outside {self.oldest}..{self.written}")
        out[:silent] = 0.0
        at = (start + silent) % self.capacity
        head = min(count - silent, self.capacity - at)
        out[silent : silent + head] = self._samples[at : at + head]
        out[silent + head :] = self._samples[: count - silent - head]

    def clear(self) -> None:
        """Return to the start of a stream."""
        self.written = 0
