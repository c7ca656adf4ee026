"""The live spectrum of both signals, one over the other."""

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QGraphicsItem, QWidget

from gui import text
from gui.palette import current_palette
from gui.spectrogram_view import BOTTOM_AXIS_HEIGHT, LEFT_AXIS_WIDTH
from gui.stft_columns import HOP_SECONDS, TOP_HZ, Decibels, StftColumns
from realtime.ring import Samples

ROWS = 1024
POINTS = 220  # at most: fewer where the bands are wider than the steps between points
LOWEST_HZ, HIGHEST_HZ = 50.0, 26_000.0  # of the axis
LOWEST_DB, HIGHEST_DB = -110.0, -20.0
FALL_DB_PER_SECOND = 45.0
FILL_OPACITY = 0.25
HERTZ_TICKS = {
    100: f"100 {text.HERTZ}",
    300: "300",
    1000: f"1 {text.KILOHERTZ}",
    3000: "3",
    10_000: "10",
    20_000: "20",
}
DECIBEL_TICKS = (-100, -80, -60, -40)


class SpectrumView(pg.PlotWidget):  # type: ignore[misc]  # the package has no types
    """Levels in dB of a full-scale sine over a logarithmic frequency axis; `start` comes before `push`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.setAccessibleName(text.SPECTRUM)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._dry, self._restored = _Curve(is_filled=True), _Curve(is_filled=False)
        self.addItem(self._dry)
        self.addItem(self._restored)
        self._set_axes()
        self._dress()

    def start(self, sample_rate_hz: int) -> None:
        """Begin with silence, for signals at this rate."""
        self._dry.start(sample_rate_hz)
        self._restored.start(sample_rate_hz)

    def push(self, dry: Samples, restored: Samples) -> None:
        """Append the newest of both signals, float32 [n] each."""
        self._dry.push(dry)
        self._restored.push(restored)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange and not self.closed:
            self._dress()  # what is closed pyqtgraph has taken apart

    def _set_axes(self) -> None:
        self.getPlotItem().setContentsMargins(0.0, 8.0, 8.0, 0.0)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setRange(
            xRange=(np.log10(LOWEST_HZ), np.log10(HIGHEST_HZ)), yRange=(LOWEST_DB, HIGHEST_DB), padding=0.0
        )
        self.getAxis("bottom").setTicks([[(np.log10(hz), label) for hz, label in HERTZ_TICKS.items()]])
        self.getAxis("left").setTicks([[(tick, text.number(tick)) for tick in DECIBEL_TICKS]])
        self.showGrid(x=True, y=True, alpha=0.15)
        self.getAxis("left").setWidth(LEFT_AXIS_WIDTH)
        self.getAxis("bottom").setHeight(BOTTOM_AXIS_HEIGHT)
        for name in ("left", "bottom"):
            self.getAxis(name).setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)

    def _dress(self) -> None:
        palette = current_palette()
        self.setBackground(palette.surface)
        for name in ("left", "bottom"):
            self.getAxis(name).setPen(palette.border)
            self.getAxis(name).setTextPen(palette.muted)
        self._dry.dress(palette.dry)
        self._restored.dress(palette.restored)


class _Curve(pg.PlotCurveItem):  # type: ignore[misc]
    """Rises at once and falls slowly, so that an eye can follow."""

    def __init__(self, is_filled: bool) -> None:
        fill_level = LOWEST_DB if is_filled else None
        super().__init__(fillLevel=fill_level, antialias=True, skipFiniteCheck=True)
        row_hz = TOP_HZ / ROWS
        steps_hz = np.geomspace(LOWEST_HZ, TOP_HZ - row_hz, POINTS)
        self._first_rows = np.unique(np.round(steps_hz / row_hz).astype(int))
        self._log_hz: NDArray[np.float64] = np.log10(self._first_rows * row_hz)
        self._columns: StftColumns | None = None

    def start(self, sample_rate_hz: int) -> None:
        self._columns = StftColumns(sample_rate_hz, ROWS)
        self._decibels: Decibels = np.full(len(self._first_rows), LOWEST_DB, np.float32)
        self.setData(self._log_hz, self._decibels)

    def push(self, samples: Samples) -> None:
        assert self._columns is not None, "start comes before push"
        columns = self._columns.push(samples)
        if len(columns):
            loudest = np.maximum.reduceat(columns.max(axis=0), self._first_rows)
            fallen = self._decibels - FALL_DB_PER_SECOND * HOP_SECONDS * len(columns)
            self._decibels = np.maximum(loudest, np.maximum(fallen, LOWEST_DB))
            self.setData(self._log_hz, self._decibels)

    def dress(self, colour: str) -> None:
        fill = QColor(colour)
        fill.setAlphaF(FILL_OPACITY)
        self.setPen(pg.mkPen(colour, width=1.5))
        self.setBrush(fill)
