"""Devices come and go; the watcher tells."""

import sys
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from realtime.device_info import DeviceInfo, Direction
from realtime.devices import list_devices
from realtime.sound_server import SoundServerError, server_devices, sound_server

if TYPE_CHECKING:
    from realtime.pulse import Pulse

RECONNECT_SECONDS = 0.25
LISTEN_SECONDS = 0.2  # how long the end of a watcher may take


class DeviceWatcher:
    """Keeps `devices` current while the context is open.

    A thread calls `on_event` with them after all that concerns devices or streams on them, so at times with
    those already known, and `on_gone` at once with the index of one that went. The sound server tells of
    events; when it ends, its devices are gone until it is back. PortAudio tells of none. Raises DeviceError
    as `list_devices` does.
    """

    def __init__(
        self,
        on_event: Callable[[list[DeviceInfo]], None],
        on_gone: Callable[[Direction, int], None] = lambda direction, index: None,
    ) -> None:
        self._on_event, self._on_gone = on_event, on_gone
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name="device watcher", daemon=True)

    def __enter__(self) -> Self:
        self.devices = list_devices()
        if sys.platform == "linux":
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                with sound_server() as server:
                    self._listen(server)
            except SoundServerError:
                self._update([device for device in self.devices if not device.on_server])
                self._stopping.wait(RECONNECT_SECONDS)

    def _listen(self, server: "Pulse") -> None:
        happened = Event()
        server.listen(happened.set, self._on_gone)
        happened.set()  # before listening, perhaps
        while not self._stopping.is_set():
            if happened.is_set():
                happened.clear()
                self._update(server_devices(server))
            else:
                server.event_listen(LISTEN_SECONDS)

    def _update(self, devices: list[DeviceInfo]) -> None:
        self.devices = devices
        self._on_event(devices)
