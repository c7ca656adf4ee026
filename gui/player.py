"""Plays one sound at a time without holding up the window."""

from threading import Event, Thread

from PyQt6.QtCore import QObject, pyqtSignal

from realtime.device_info import DeviceError, DeviceInfo
from realtime.playback import play
from realtime.ring import Samples

CLOSE_SECONDS = 1.0  # a sound server that hangs is not waited for longer


class Player(QObject):
    """`ended` follows every start, and `failed`, with a sentence for the user, comes before it."""

    ended = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._stopping = Event()
        self._thread: Thread | None = None

    def start(self, sound: Samples, sample_rate_hz: int, device: DeviceInfo) -> None:
        """Play float32 `sound`, mono. What is played already must have ended."""
        self._stopping.clear()
        arguments = (sound, sample_rate_hz, device)
        self._thread = Thread(target=self._play, args=arguments, name="player", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End soon; `ended` tells when."""
        self._stopping.set()

    def close(self) -> None:
        """End, and wait for it: about a twentieth of a second. Nothing is told any more."""
        self.blockSignals(True)
        self.stop()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _play(self, sound: Samples, sample_rate_hz: int, device: DeviceInfo) -> None:
        try:
            play(sound, sample_rate_hz, device, self._stopping)
        except DeviceError as error:
            self.failed.emit(str(error))
        self.ended.emit()
