"""Devices come and go; the watcher tells."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Self

from realtime.device_info import DeviceInfo, Direction
from realtime.devices import list_devices, renew_devices
from realtime.sound_server import SoundServerError, SoundServerHangsError, server_devices, sound_server
from realtime.threads import in_background

if TYPE_CHECKING:
    from realtime.pulse import Pulse

RECONNECT_SECONDS = 0.25
LISTEN_SECONDS = 0.2  # how long the end of a watcher may take
PLAYING_SECONDS = 15.0  # longer than this process plays anything


class DeviceWatcher:
    """Keeps `devices` current while the context is open.

    A thread calls `on_event` with them after all that concerns devices or streams on them, so at times with
    those already known, and `on_gone` at once with the index of one that went. The sound server tells of
    events; when it ends or hangs, its devices are gone until it is back. PortAudio tells of none: where
    `is_told` is false, whoever hears of one calls `look_again`. Raises DeviceError when PortAudio is missing.
    """

    is_told = sys.platform == "linux"

    def __init__(
        self,
        on_event: Callable[[list[DeviceInfo]], None],
        on_gone: Callable[[Direction, int], None] = lambda direction, index: None,
    ) -> None:
        self._on_event, self._on_gone = on_event, on_gone

    def __enter__(self) -> Self:
        try:
            self.devices = list_devices()
        except SoundServerHangsError:
            self.devices = []
        self._opened = ExitStack()
        if self.is_told:
            self._opened.enter_context(in_background(self._watch, "device watcher"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def look_again(self) -> None:
        """List anew, which PortAudio does once this process plays nothing. Raises DeviceError."""
        renew_devices(PLAYING_SECONDS)
        self._update(list_devices())

    def _watch(self, stopping: Event) -> None:
        while not stopping.is_set():
            try:
                with sound_server() as server:
                    self._listen(server, stopping)
            except SoundServerError:
                self._update([device for device in self.devices if not device.on_server])
                stopping.wait(RECONNECT_SECONDS)

    def _listen(self, server: "Pulse", stopping: Event) -> None:
        happened = Event()
        server.listen(happened.set, self._on_gone)
        happened.set()  # before listening, perhaps
        while not stopping.is_set():
            if happened.is_set():
                happened.clear()
                self._update(server_devices(server))
            else:
                server.event_listen(LISTEN_SECONDS)

    def _update(self, devices: list[DeviceInfo]) -> None:
        self.devices = devices
        self._on_event(devices)
