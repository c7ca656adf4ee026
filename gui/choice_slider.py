"""A slider over a few values that have names."""

from collections.abc import Callable, Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QSlider

from gui.parts import Field

HANDLE_HEIGHT = 20  # logical pixels


class ChoiceSlider(Field):
    """Shows the value in words while it is moved, and emits it once the handle is let go."""

    chosen = pyqtSignal(int)

    def __init__(self, name: str, tip: str, describe: Callable[[int], str]) -> None:
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setPageStep(1)
        self._slider.setMinimumHeight(HANDLE_HEIGHT)
        super().__init__(name, self._slider, tip)
        self._describe = describe
        self._values: Sequence[int] = (0,)
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._slider.valueChanged.connect(self._tell)
        self._slider.sliderReleased.connect(self._choose)

    def show_choice(self, values: Sequence[int], value: int) -> None:
        """Offer `values`, in rising order, with `value` chosen, unless the user is at it."""
        if self._slider.isSliderDown():
            return
        self._slider.blockSignals(True)
        self._values = values
        self._slider.setRange(0, len(values) - 1)
        self._slider.setValue(values.index(value))
        self._slider.blockSignals(False)
        self._show_words()

    def _tell(self) -> None:
        self._show_words()
        if not self._slider.isSliderDown():  # moved by the keyboard or the wheel
            self._choose()

    def _choose(self) -> None:
        self.chosen.emit(self._values[self._slider.value()])

    def _show_words(self) -> None:
        words = self._describe(self._values[self._slider.value()])
        self.note.setText(words)
        self._slider.setAccessibleDescription(words)
