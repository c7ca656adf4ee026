"""A key for bypass that works while another program is in front, where the platform allows it.

X11 does. Wayland lets no program see the keys of another; macOS demands a right that only the user can give,
and Windows a native window: there F9 works in this program's window alone, and the settings page says so.
"""

from PyQt6.QtCore import QObject, QSocketNotifier, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.sip import voidptr

from gui.x11_key import X11Key


def is_possible() -> bool:
    """Whether this desktop hands keys to programs that are not in front."""
    return QGuiApplication.platformName() == "xcb"


class Hotkey(QObject):
    """Emits `pressed` for the key taken last."""

    pressed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._key: X11Key | None = None
        self._notifier: QSocketNotifier | None = None

    def take(self, key: str | None) -> None:
        """Listen for `key`, such as "Ctrl+Alt+B", and for no other; None is no key. Raises HotkeyError."""
        self.release()
        if key is not None and is_possible():
            self._key = X11Key(key)
            self._notifier = QSocketNotifier(voidptr(self._key.fileno()), QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._read)

    def release(self) -> None:
        """Listen no more."""
        if self._key is not None and self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._key.close()
        self._key = self._notifier = None

    def _read(self) -> None:
        if self._key is not None and self._key.presses() % 2:
            self.pressed.emit()
