"""A light that tells at a glance how things stand."""

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from gui.palette import current_palette
from realtime.messages import State

DIAMETER = 14


class StateLight(QWidget):
    """Green while restoring, yellow while something is awaited or went wrong, red when the engine ended."""

    def __init__(self) -> None:
        super().__init__()
        self._state: State = "loading"
        self._dimmed = False
        self.setFixedSize(QSize(DIAMETER, DIAMETER))

    def show_state(self, state: State, dimmed: bool) -> None:
        """`dimmed`: the user does not want the restored voice now."""
        if (state, dimmed) != (self._state, self._dimmed):
            self._state, self._dimmed = state, dimmed
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        palette = current_palette()
        colour = palette.warning
        if self._state in ("failed", "stopped"):
            colour = palette.danger
        elif self._state == "running":
            colour = palette.muted if self._dimmed else palette.good
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawEllipse(self.rect().adjusted(1, 1, -1, -1))
