"""What panels and pages are made of: cards, fields, buttons, captions and rows."""

from collections.abc import Callable

from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui import text


class Card(QFrame):
    """A framed column of fields."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(12, 8, 12, 8)
        self.column.setSpacing(7)


class Field(QWidget):
    """`control` below its name, which carries an Alt key, with a note of less weight beside the name."""

    def __init__(self, name: str, control: QWidget, tip: str = "", beside: QWidget | None = None) -> None:
        super().__init__()
        label = QLabel(name)
        label.setBuddy(control)
        self.note = caption()
        control.setAccessibleName(text.plain(name))
        control.setAccessibleDescription(tip)
        self.setToolTip(tip)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.note, 0, 1, 1, 2)
        grid.addWidget(control, 1, 0, 1, 2 if beside else 3)
        if beside is not None:
            grid.addWidget(beside, 1, 2)
        grid.setColumnStretch(1, 1)


def button(name: str, do: Callable[[], object], role: str = "") -> QPushButton:
    """`role` is one of the style sheet's."""
    made = QPushButton(name)
    made.setAccessibleName(text.plain(name))
    made.setProperty("role", role)
    made.clicked.connect(lambda: do())
    return made


def caption(words: str = "") -> QLabel:
    """Text of less weight, which may be cut off but never widens the window."""
    label = QLabel(words)
    label.setProperty("role", "caption")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def row(*parts: QWidget | None) -> QHBoxLayout:
    """The widgets side by side; None takes up the space that is left."""
    layout = QHBoxLayout()
    layout.setSpacing(8)
    for part in parts:
        layout.addStretch(1) if part is None else layout.addWidget(part)
    return layout
