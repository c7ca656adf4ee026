"""The choice of the key for bypass that works in any program."""

from PyQt6.QtCore import QKeyCombination, Qt
from PyQt6.QtGui import QGuiApplication, QKeySequence
from PyQt6.QtWidgets import QHBoxLayout, QKeySequenceEdit, QVBoxLayout, QWidget

from gui import text
from gui.controller import Controller
from gui.global_key import HotkeyError
from gui.header import BYPASS_KEY
from gui.hotkey import HINTS, Hotkey, is_possible
from gui.parts import button, caption

LEAVING = [QKeyCombination(Qt.Key.Key_Tab), QKeyCombination(Qt.Modifier.SHIFT, Qt.Key.Key_Backtab)]


class HotkeyField(QWidget):
    """Takes the key that the settings name, and says so where that cannot be."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._hotkey = Hotkey()
        self._hotkey.pressed.connect(controller.toggle_bypass)
        self._edit = QKeySequenceEdit()
        self._edit.setMaximumSequenceLength(1)
        self._edit.setFinishingKeyCombinations(LEAVING)
        self._edit.setAccessibleName(text.plain(text.HOTKEY))
        self._edit.setEnabled(is_possible())
        self._edit.editingFinished.connect(lambda: self._choose(self._pressed() or self._chosen))
        clear = button(text.HOTKEY_CLEAR, lambda: self._choose(None))
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
        self._take(self._chosen)
        self._show()

    def release(self) -> None:
        """Listen for no key any more, before the window goes."""
        self._hotkey.release()

    @property
    def _chosen(self) -> str | None:
        return self._controller.settings.hotkey

    def _pressed(self) -> str:
        """Empty where all that was pressed is a modifier."""
        return self._edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _choose(self, key: str | None) -> None:
        if key != self._chosen and self._take(key):
            self._controller.change(hotkey=key)
        self._show()

    def _show(self) -> None:
        self._edit.setKeySequence(QKeySequence(self._chosen or ""))

    def _take(self, key: str | None) -> bool:
        """Whether `key` can be had; the note says why where it cannot."""
        try:
            self._hotkey.take(key)
        except HotkeyError as error:
            self._note.setText(str(error))
            return False
        here_only = text.HOTKEY_HERE_ONLY.format(key=BYPASS_KEY)
        self._note.setText(HINTS.get(QGuiApplication.platformName(), here_only))
        return True
