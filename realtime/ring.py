"""The recent past of an endless stream of samples, within a process or shared by several."""

from ctypes import Array, c_byte
from multiprocessing.sharedctypes import RawArray
from typing import Self

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
SharedMemory = Array[c_byte]
HEADER_BYTES = 16


class Ring:
    """Keeps the newest `capacity` samples of a stream; a sample is named by its position in the stream.

    Positions before the start of the stream hold zeros, so a delay is a read at an earlier position and
    needs no filling beforehand. One thread may write while others read: a write publishes its samples by
    advancing `written` last, takes no lock and allocates no sample memory.

    All of it lies in `memory`, zeros at first; without any the ring has its own.
    """

    def __init__(self, capacity: int, memory: SharedMemory | bytearray | None = None) -> None:
        memory = bytearray(HEADER_BYTES + 4 * capacity) if memory is None else memory
        view = memoryview(memory).cast("B")
        self._header = np.frombuffer(view, np.int64, 2)
        self._samples = np.frombuffer(view, np.float32, capacity, HEADER_BYTES)

    @property
    def begin(self) -> int:
        """Position of the first sample of the stream."""
        return int(self._header[0])

    @property
    def written(self) -> int:
        """Position after the newest sample."""
        return int(self._header[1])

    @property
    def capacity(self) -> int:
        return len(self._samples)

    @property
    def oldest(self) -> int:
        """Position of the oldest sample still held."""
        return max(self.begin, self.written - self.capacity)

    def write(self, block: Samples) -> None:
        """Append float32 `block`, forgetting the oldest samples. Raises ValueError above `capacity`."""
        count = len(block)
        if count > self.capacity:
            raise ValueError(f"a block of {count} samples does not fit a ring of {self.capacity}")
        at = self.written % self.capacity
        head = min(count, self.capacity - at)
        self._samples[at : at + head] = block[:head]
        self._samples[: count - head] = block[head:]
        self._header[1] += count

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
        silent = min(count, max(0, self.begin - start))
        if start + count > self.written or max(start, self.begin) < self.oldest:
            raise IndexError(f"samples {start}..{start + count} are outside {self.oldest}..{self.written}")
        out[:silent] = 0.0
        at = (start + silent) % self.capacity
        head = min(count - silent, self.capacity - at)
        out[silent : silent + head] = self._samples[at : at + head]
        out[silent + head :] = self._samples[: count - silent - head]

    def restart(self, position: int = 0) -> None:
        """Forget everything; the stream begins anew at `position`."""
        self._header[:] = position


class SharedRing(Ring):
    """A ring for several processes: give it to a process that is being started.

    It needs no clearing up: its memory has no name and goes with the last process that knows it.
    """

    def __init__(self, capacity: int, memory: SharedMemory | None = None) -> None:
        self._memory = RawArray(c_byte, HEADER_BYTES + 4 * capacity) if memory is None else memory
        super().__init__(capacity, self._memory)

    def __reduce__(self) -> tuple[type[Self], tuple[int, SharedMemory]]:
        return type(self), (self.capacity, self._memory)
