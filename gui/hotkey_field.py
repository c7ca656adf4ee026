"""The choice of the key for bypass that works in any program."""

from PyQt6.QtGui import QGuiApplication, QKeySequence
from PyQt6.QtWidgets import QHBoxLayout, QKeySequenceEdit, QVBoxLayout, QWidget

from gui import text
from gui.controller import Controller
from gui.global_key import HotkeyError
from gui.header import BYPASS_KEY
from gui.hotkey import HINTS, Hotkey, is_possible
from gui.parts import button, caption


class HotkeyField(QWidget):
    """Takes the key that the settings name, and says so where that cannot be."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._hotkey = Hotkey()
        self._hotkey.pressed.connect(controller.toggle_bypass)
        self._edit = QKeySequenceEdit()
        self._edit.setMaximumSequenceLength(1)
        self._edit.setAccessibleName(text.plain(text.HOTKEY))
        self._edit.setEnabled(is_possible())
        self._edit.editingFinished.connect(lambda: self._choose(self._edit.keySequence()))
        clear = button(text.HOTKEY_CLEAR, lambda: self._choose(QKeySequence()))
        clear.setEnabled(is_possible())
        self.setFocusProxy(self._edit)
        self._note = caption()
        self._note.setWordWrap(True)
        self._hotkey.failed.connect(self._note.setText)
        row = QHBoxLayout()
        row.addWidget(self._edit, 1)
        row.addWidget(clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._note)
        self._take()

    def release(self) -> None:
        """Listen for no key any more, before the window goes."""
        self._hotkey.release()

    def _choose(self, keys: QKeySequence) -> None:
        key = keys.toString(QKeySequence.SequenceFormat.PortableText) or None
        if key != self._controller.settings.hotkey:
            self._controller.change(hotkey=key)
            self._take()

    def _take(self) -> None:
        key = self._controller.settings.hotkey
        self._edit.setKeySequence(QKeySequence(key or ""))
        here_only = text.HOTKEY_HERE_ONLY.format(key=BYPASS_KEY)
        note = HINTS.get(QGuiApplication.platformName(), here_only)
        try:
            self._hotkey.take(key)
        except HotkeyError as error:
            note = str(error)
        self._note.setText(note)
