"""The newest word of one process to another, in shared memory: nobody ever waits."""

import pickle
import struct
from ctypes import c_byte
from multiprocessing.sharedctypes import RawArray
from typing import Generic, Self, TypeVar
from zlib import crc32

from realtime.ring import SharedMemory

Value = TypeVar("Value")
HEADER = struct.Struct("=QII")  # number of the letter, its length in bytes and its checksum
CAPACITY_BYTES = 1 << 16


class Mailbox(Generic[Value]):
    """Holds one picklable value, `first` to begin with: one process puts newer ones, any may look.

    Give it to a process that is being started. A value that is only half written, perhaps for ever because
    its writer was killed, is not seen: the one before is.
    """

    def __init__(self, first: Value, memory: SharedMemory | None = None) -> None:
        self._memory = RawArray(c_byte, CAPACITY_BYTES) if memory is None else memory
        self._bytes = memoryview(self._memory).cast("B")
        self._seen, self._value = (0, 0, 0), first

    def __reduce__(self) -> tuple[type[Self], tuple[Value, SharedMemory]]:
        return type(self), (self.get(), self._memory)

    def put(self, value: Value) -> None:
        """Replace the value. Raises ValueError when it is larger than 64 KiB."""
        letter = pickle.dumps(value)
        if HEADER.size + len(letter) > CAPACITY_BYTES:
            raise ValueError(f"a value of {len(letter)} bytes does not fit")
        number = HEADER.unpack_from(self._bytes)[0] + 1
        self._bytes[HEADER.size : HEADER.size + len(letter)] = letter
        HEADER.pack_into(self._bytes, 0, number, len(letter), crc32(letter))

    def get(self) -> Value:
        """The newest value."""
        header = HEADER.unpack_from(self._bytes)
        if header != self._seen:
            _, length, checksum = header
            letter = bytes(self._bytes[HEADER.size : HEADER.size + length])
            if crc32(letter) == checksum:
                self._seen, self._value = header, pickle.loads(letter)
        return self._value
