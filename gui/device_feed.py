"""Tells the window which devices there are, now and after every change."""

from threading import Event, Thread

from PyQt6.QtCore import QObject, pyqtSignal

from realtime.device_info import DeviceError, DeviceInfo
from realtime.device_watcher import DeviceWatcher

RETRY_SECONDS = 2.0
SETTLE_SECONDS = 0.3  # a device that comes brings others along


class DeviceFeed(QObject):
    """Listens on threads of its own, from `start` to `close`: asking for devices can take seconds.

    Where no sound server tells of events, Qt does.
    """

    changed = pyqtSignal(list)  # of DeviceInfo
    failed = pyqtSignal(str)  # one sentence for the user
    _listed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._stopping, self._woken = Event(), Event()
        self._last: list[DeviceInfo] | None = None
        self._system: QObject | None = None
        self._thread = Thread(target=self._watch, name="device feed", daemon=True)
        self._listed.connect(self._listen)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait until nothing is told any more."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                with DeviceWatcher(self._tell) as watcher:
                    self._tell(watcher.devices)
                    if not watcher.is_told:
                        self._listed.emit()
                    self._follow(watcher)
            except DeviceError as error:
                self.failed.emit(str(error))
                self._stopping.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        """Once there is a list to show: loading this part of Qt takes a moment, on the window's thread."""
        from PyQt6.QtMultimedia import QMediaDevices

        if self._system is None:
            self._system = QMediaDevices(self)
            self._system.audioInputsChanged.connect(self._woken.set)
            self._system.audioOutputsChanged.connect(self._woken.set)
        self._woken.set()  # before listening, perhaps

    def _follow(self, watcher: DeviceWatcher) -> None:
        """Have `watcher` look again after every event, until the end."""
        while True:
            self._woken.wait()
            if self._stopping.wait(SETTLE_SECONDS):
                return
            self._woken.clear()
            watcher.look_again()

    def _tell(self, devices: list[DeviceInfo]) -> None:
        if devices != self._last:
            self._last = devices
            self.changed.emit(devices)
