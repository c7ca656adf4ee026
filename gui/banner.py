"""A sentence about what is wrong, across the window, with what can be done about it at once."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel

from gui import text
from gui.parts import button


class Banner(QFrame):
    """Hidden while there is nothing to say. What the engine says stays as long as it is so."""

    restart_wanted = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "alert")
        self._problem, self._message = "", ""
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setProperty("role", "problem")
        self._restart = button(text.RESTART, self.restart_wanted.emit, "primary")
        self._dismiss = button(text.DISMISS, lambda: self.show_problem(""))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.addWidget(self._words, 1)
        row.addWidget(self._restart)
        row.addWidget(self._dismiss)
        self.show_message(None, False)

    def show_problem(self, sentence: str) -> None:
        """Show `sentence` until it is dismissed or another one comes."""
        self._problem = sentence
        self._refresh()

    def show_message(self, message: str | None, can_restart: bool) -> None:
        """Show what the engine says, if anything."""
        self._message = message or ""
        self._restart.setVisible(can_restart)
        self._refresh()

    def _refresh(self) -> None:
        words = "\n".join(filter(None, (self._message, self._problem)))
        if words != self._words.text():
            self._words.setText(words)
            self._words.setAccessibleName(words)
        self._dismiss.setVisible(bool(self._problem))
        self.setVisible(bool(words))
