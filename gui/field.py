"""A control below its name: how the panels are built."""

from PyQt6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget


class Card(QFrame):
    """A framed column of fields."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(12, 8, 12, 8)
        self.column.setSpacing(5)


class Field(QWidget):
    """`control` below its name, which carries an Alt key, with a note of less weight beside the name."""

    def __init__(self, name: str, control: QWidget, tip: str = "", beside: QWidget | None = None) -> None:
        super().__init__()
        label = QLabel(name)
        label.setBuddy(control)
        self.note = caption()
        control.setAccessibleName(name.replace("&", ""))
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


def caption(words: str = "") -> QLabel:
    """Text of less weight, which may be cut off but never widens the window."""
    label = QLabel(words)
    label.setProperty("role", "caption")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
