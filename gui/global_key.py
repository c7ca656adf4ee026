"""What every way to hear a key while another program is in front has in common."""

from PyQt6.QtCore import QObject, pyqtSignal

from model.errors import MaskSRError


class HotkeyError(MaskSRError):
    """A key cannot be taken for all programs."""


class GlobalKey(QObject):
    """Emits `pressed` until `close`, and `failed` with a sentence for the user where it cannot go on."""

    pressed = pyqtSignal()
    failed = pyqtSignal(str)

    def close(self) -> None:
        """Let go of the key."""
