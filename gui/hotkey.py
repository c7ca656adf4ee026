"""A key for bypass that works while another program is in front, where the platform allows it.

X11 hands it to this program alone; on Windows and macOS it is heard among all others. Wayland lets no program
see the keys of another: there F9 works in this program's window alone, and the settings page says so.
"""

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QGuiApplication

from gui import text
from gui.global_key import GlobalKey
from gui.heard_key import HeardKey

HINTS = {
    "xcb": text.HOTKEY_HINT,
    "windows": text.HOTKEY_SHARED,
    "cocoa": text.HOTKEY_SHARED,
}  # by Qt's platforms


def is_possible() -> bool:
    """Whether this desktop hands keys to programs that are not in front."""
    return QGuiApplication.platformName() in HINTS


class Hotkey(QObject):
    """Emits `pressed` for the key taken last, and `failed` with a sentence if it is heard no more."""

    pressed = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._key: GlobalKey | None = None

    def take(self, key: str | None) -> None:
        """Listen for `key`, such as "Ctrl+Alt+B", and for no other; None is no key.

        Raises HotkeyError where it cannot be had; then the one before is still heard.
        """
        taken = _listen(key) if key is not None and is_possible() else None
        self.release()
        self._key = taken
        if taken is not None:
            taken.pressed.connect(self.pressed)
            taken.failed.connect(self.failed)

    def release(self) -> None:
        """Listen no more."""
        if self._key is not None:
            self._key.close()
        self._key = None


def _listen(key: str) -> GlobalKey:
    if QGuiApplication.platformName() != "xcb":
        return HeardKey(key)
    from gui.x11_key import X11Key  # whose library is not installed elsewhere

    return X11Key(key)
