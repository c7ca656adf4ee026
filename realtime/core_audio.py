"""What macOS tells of sound devices that come, go or become the default; see Apple's AudioHardware.h."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LIBRARY = "/System/Library/Frameworks/CoreAudio.framework/CoreAudio"
SYSTEM = 1  # the object that has these properties
DEVICES = ("dev#", "dIn ", "dOut")  # all, the default input and the default output
RUN_LOOP = "rnlp"  # none: a thread of CoreAudio's own tells


class _Address(ctypes.Structure):
    _fields_ = (("selector", ctypes.c_uint32), ("scope", ctypes.c_uint32), ("element", ctypes.c_uint32))


_Listener = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_uint32, ctypes.c_uint32, ctypes.POINTER(_Address), ctypes.c_void_p
)


@contextmanager
def core_audio_events(on_event: Callable[[], None]) -> Iterator[None]:
    """Calls `on_event`, on any thread, after every event while the context is open."""
    library, none = ctypes.CDLL(LIBRARY), ctypes.c_void_p()
    size = ctypes.sizeof(none)
    library.AudioObjectSetPropertyData(SYSTEM, _address(RUN_LOOP), 0, None, size, ctypes.byref(none))

    def tell(source: int, count: int, addresses: object, data: object) -> int:
        on_event()
        return 0

    listener = _Listener(tell)
    for name in DEVICES:
        library.AudioObjectAddPropertyListener(SYSTEM, _address(name), listener, None)
    try:
        yield
    finally:
        for name in DEVICES:
            library.AudioObjectRemovePropertyListener(SYSTEM, _address(name), listener, None)


def _address(name: str) -> "ctypes._Pointer[_Address]":
    return ctypes.pointer(_Address(_number(name), _number("glob"), 0))


def _number(name: str) -> int:
    return int.from_bytes(name.encode(), "big")
