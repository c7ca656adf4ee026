"""What all pictures of the two signals have in common."""

from typing import Protocol

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt

from gui.palette import current_palette
from gui.stft_columns import Decibels, StftColumns
from realtime.ring import Samples

LEFT_AXIS_WIDTH, BOTTOM_AXIS_HEIGHT = 52, 20  # so that pictures below each other line up


class SignalPart(Protocol):
    """What one signal is drawn with."""

    def clear_signal(self) -> None:
        """Begin with silence."""

    def push(self, columns: Decibels) -> None:
        """Append float32 [columns, rows], at least one of them."""

    def dress(self, colour: str) -> None:
        """Take on the colours of the palette, and `colour` as the signal's own."""


class SignalPicture(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # the package has no types
    """Measures the microphone's signal and the restored one in `rows` bands and shows them in the palette.

    `start` comes before the first `push`.
    """

    def __init__(self, name: str, dry: SignalPart, restored: SignalPart, rows: int) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._dry, self._restored, self._rows = dry, restored, rows
        self._columns: tuple[StftColumns, ...] = ()

    def start(self, sample_rate_hz: int) -> None:
        """Begin with silence, for signals at this rate."""
        self._columns = tuple(StftColumns(sample_rate_hz, self._rows) for _ in range(2))
        for part in (self._dry, self._restored):
            part.clear_signal()

    def push(self, dry: Samples, restored: Samples) -> None:
        """Append the newest of both signals, float32 [n] each and of the same time."""
        parts, signals = (self._dry, self._restored), (dry, restored)
        for part, columns, samples in zip(parts, self._columns, signals, strict=True):
            newest = columns.push(samples)
            if len(newest):
                part.push(newest)

    def dress(self) -> None:
        """Take on the colours of the palette; done again whenever they change."""
        palette = current_palette()
        self.setBackground(palette.surface)
        self._dry.dress(palette.dry)
        self._restored.dress(palette.restored)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange and not self.closed:
            self.dress()  # what is closed pyqtgraph has taken apart
