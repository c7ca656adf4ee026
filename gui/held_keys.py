"""Keys that are held: they do a thing once, and are seen released wherever that lands."""

from PyQt6.QtCore import QCoreApplication, QEvent, QObject, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent

REPEAT_MS = 30  # after its release, by when a key that is held has been pressed again


class HeldKeys(QObject):
    """Until `close`, keeps shortcuts from being repeated and emits `released` for `key`, in every window.

    An X server repeats a key by a release and a press of one time, often taken by Qt for those of a finger.
    """

    released = pyqtSignal()

    def __init__(self, key: int) -> None:
        super().__init__()
        self._key = key
        self._released_at = 0
        self._release = QTimer(self)
        self._release.setInterval(REPEAT_MS)
        self._release.setSingleShot(True)
        self._release.timeout.connect(self.released)
        application = QCoreApplication.instance()
        assert application is not None
        application.installEventFilter(self)
        self._application = application

    def close(self) -> None:
        self._application.removeEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyRelease:
                self._take_release(event)
            elif event.key() == self._key:
                self._release.stop()
            if event.type() == QEvent.Type.ShortcutOverride and self._is_repeated(event):
                event.accept()  # which leaves no shortcut to it
                return True
        return False

    def _take_release(self, event: QKeyEvent) -> None:
        self._released_at = event.timestamp()
        if event.key() == self._key and not event.isAutoRepeat():
            self._release.start()

    def _is_repeated(self, event: QKeyEvent) -> bool:
        return event.isAutoRepeat() or event.timestamp() == self._released_at != 0
