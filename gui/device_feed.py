"""Tells the window which devices there are, now and after every change."""

from threading import Event, Thread

from PyQt6.QtCore import QObject, pyqtSignal

from realtime.device_info import DeviceError, DeviceInfo
from realtime.device_watcher import DeviceWatcher

RETRY_SECONDS = 2.0


class DeviceFeed(QObject):
    """Listens on threads of its own, from `start` to `close`: asking for devices can take seconds."""

    changed = pyqtSignal(list)  # of DeviceInfo
    failed = pyqtSignal(str)  # one sentence for the user

    def __init__(self) -> None:
        super().__init__()
        self._stopping = Event()
        self._last: list[DeviceInfo] | None = None
        self._thread = Thread(target=self._watch, name="device feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait until nothing is told any more."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                with DeviceWatcher(self._tell) as watcher:
                    self._tell(watcher.devices)
                    self._stopping.wait()
            except DeviceError as error:
                self.failed.emit(str(error))
                self._stopping.wait(RETRY_SECONDS)

    def _tell(self, devices: list[DeviceInfo]) -> None:
        if devices != self._last:
            self._last = devices
            self.changed.emit(devices)
