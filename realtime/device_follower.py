"""Tells an engine of devices that come and go, where neither a sound server nor a window does."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from threading import Event
from time import monotonic

from realtime.device_info import DeviceError, DeviceInfo
from realtime.device_pair import found
from realtime.device_watcher import DeviceWatcher
from realtime.live_engine import LiveEngine
from realtime.threads import in_background

TURN_SECONDS = 0.3  # a device that comes brings others along
LOOK_SECONDS = 5.0  # should the system not tell


@contextmanager
def devices_followed(engine: LiveEngine) -> Iterator[None]:
    """Has `engine` know which devices there are while the context is open; this process uses none itself."""
    if DeviceWatcher.is_told:
        yield
        return
    with in_background(partial(_follow, engine), "device follower"):
        yield


def _follow(engine: LiveEngine, stopping: Event) -> None:
    happened = Event()
    with DeviceWatcher(partial(_tell, engine)) as watcher, _events(happened.set):
        look_at = monotonic() + LOOK_SECONDS
        while not stopping.wait(TURN_SECONDS):
            if happened.is_set() or monotonic() > look_at:
                happened.clear()
                with suppress(DeviceError):  # the next time, perhaps
                    watcher.look_again()
                look_at = monotonic() + LOOK_SECONDS


def _events(on_event: Callable[[], None]) -> AbstractContextManager[None]:
    if sys.platform == "darwin":
        from realtime.core_audio import core_audio_events

        return core_audio_events(on_event)
    if sys.platform == "win32":
        from realtime.mm_devices import mm_device_events

        return mm_device_events(on_event)
    return nullcontext()


def _tell(engine: LiveEngine, devices: list[DeviceInfo]) -> None:
    engine.settings = replace(engine.settings, found=found(engine.settings, devices))
