"""The newest word of one process to another, in shared memory: nobody ever waits."""

import pickle
import struct
from ctypes import c_byte
from multiprocessing.sharedctypes import RawArray
from typing import Generic, Self, TypeVar
from zlib import crc32

from realtime.ring import SharedMemory

Value = TypeVar("Value")
HEADER = struct.Struct("=QI")  # number of the letter and its length in bytes
CHECKSUM = struct.Struct("=I")  # of header and letter, between the two
PREFIX_BYTES = HEADER.size + CHECKSUM.size
CAPACITY_BYTES = 1 << 16


class Mailbox(Generic[Value]):
    """Holds one picklable value, `first` to begin with: one process puts newer ones, any may look.

    Give it to a process that is being started. A value that is only half written, perhaps for ever because
    its writer was killed, is not seen: the one before is.
    """

    def __init__(self, first: Value, memory: SharedMemory | None = None) -> None:
        self._memory = RawArray(c_byte, CAPACITY_BYTES) if memory is None else memory
        self._bytes = memoryview(self._memory).cast("B")
        self._seen, self._value = bytes(PREFIX_BYTES), first

    def __reduce__(self) -> tuple[type[Self], tuple[Value, SharedMemory]]:
        return type(self), (self.get(), self._memory)

    def put(self, value: Value) -> None:
        """Replace the value. Raises ValueError when it is larger than 64 KiB."""
        letter = pickle.dumps(value)
        if PREFIX_BYTES + len(letter) > CAPACITY_BYTES:
            raise ValueError(f"a value of {len(letter)} bytes does not fit")
        header = HEADER.pack(HEADER.unpack_from(self._bytes)[0] + 1, len(letter))
        self._bytes[PREFIX_BYTES : PREFIX_BYTES + len(letter)] = letter
        self._bytes[:PREFIX_BYTES] = header + CHECKSUM.pack(crc32(header + letter))

    def get(self) -> Value:
        """The newest value."""
        prefix = bytes(self._bytes[:PREFIX_BYTES])
        if prefix != self._seen:
            header, (checksum,) = prefix[: HEADER.size], CHECKSUM.unpack_from(prefix, HEADER.size)
            _, length = HEADER.unpack(header)
            letter = bytes(self._bytes[PREFIX_BYTES : PREFIX_BYTES + length])
            if crc32(header + letter) == checksum:
                self._seen, self._value = prefix, pickle.loads(letter)
        return self._value
