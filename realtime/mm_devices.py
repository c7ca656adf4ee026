"""What Windows tells of sound devices that come, go or become the default: all three are in its registry."""

import ctypes
import sys
import winreg
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event

from realtime.threads import in_background

assert sys.platform == "win32"

KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\MMDevices\Audio"
NAMES, VALUES = 0x1, 0x4  # of the keys within are told
LISTEN_MS = 200  # how long the end may take


@contextmanager
def mm_device_events(on_event: Callable[[], None]) -> Iterator[None]:
    """Calls `on_event`, on a thread of its own, after every event while the context is open."""
    with in_background(partial(_listen, on_event), "device events"):
        yield


def _listen(on_event: Callable[[], None], stopping: Event) -> None:
    kernel, registry = ctypes.WinDLL("kernel32"), ctypes.WinDLL("advapi32")
    kernel.CreateEventW.restype = ctypes.c_void_p
    happened = ctypes.c_void_p(kernel.CreateEventW(None, False, False, None))
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY, access=winreg.KEY_NOTIFY) as key:
        while not stopping.is_set():
            handle = ctypes.c_void_p(key.handle)
            registry.RegNotifyChangeKeyValue(handle, True, NAMES | VALUES, happened, True)
            while kernel.WaitForSingleObject(happened, LISTEN_MS) != 0 and not stopping.is_set():
                pass
            on_event()
    kernel.CloseHandle(happened)
