"""The live spectrum of both signals, one over the other."""

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QGraphicsItem

from gui import text
from gui.palette import current_palette
from gui.signal_picture import BOTTOM_AXIS_HEIGHT, LEFT_AXIS_WIDTH, SignalPicture
from gui.stft_columns import HOP_SECONDS, TOP_HZ, Decibels

ROWS = 1024
POINTS = 220  # at most: fewer where the bands are wider than the steps between points
LOWEST_HZ, HIGHEST_HZ = 50.0, TOP_HZ  # of the axis
LOWEST_DB, HIGHEST_DB = -110.0, -10.0
FALL_DB_PER_SECOND = 45.0
FILL_OPACITY = 0.25
HERTZ_TICKS = {
    100: text.HERTZ.format(100),
    300: "300",
    1000: text.KILOHERTZ.format(1),
    3000: "3",
    10_000: "10",
    20_000: "20",
}
DECIBEL_TICKS = (-40, -80), (-20, -60, -100)  # the second ones where there is room; the first one says dB


class SpectrumView(SignalPicture):
    """Levels in dB of a full-scale sine over a logarithmic frequency axis."""

    def __init__(self) -> None:
        self.curves = _Curve(is_filled=True), _Curve(is_filled=False)
        super().__init__(text.SPECTRUM, *self.curves, ROWS)
        self.ci.setContentsMargins(0.0, 4.0, 0.0, 0.0)
        self._plot = self.addPlot(enableMenu=False)
        for curve in self.curves:
            self._plot.addItem(curve)
        self._axes = [self._plot.getAxis(name) for name in ("left", "bottom")]
        self._set_axes()
        self.dress()

    def dress(self) -> None:
        super().dress()
        for axis in self._axes:
            axis.setPen(current_palette().border)
            axis.setTextPen(current_palette().muted)

    def _set_axes(self) -> None:
        self._plot.hideButtons()
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setRange(
            xRange=(np.log10(LOWEST_HZ), np.log10(HIGHEST_HZ)), yRange=(LOWEST_DB, HIGHEST_DB), padding=0.0
        )
        self._plot.showGrid(x=True, y=True, alpha=0.15)
        left, bottom = self._axes
        left.setTicks([[(tick, _in_words(tick)) for tick in ticks] for ticks in DECIBEL_TICKS])
        left.setWidth(LEFT_AXIS_WIDTH)
        bottom.setTicks([[(np.log10(hz), label) for hz, label in HERTZ_TICKS.items()]])
        bottom.setHeight(BOTTOM_AXIS_HEIGHT)
        for axis in self._axes:
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)


class _Curve(pg.PlotCurveItem):  # type: ignore[misc]  # the package has no types
    """Rises at once and falls slowly, so that an eye can follow."""

    def __init__(self, is_filled: bool) -> None:
        fill_level = LOWEST_DB if is_filled else None
        super().__init__(fillLevel=fill_level, antialias=True, skipFiniteCheck=True)
        row_hz = TOP_HZ / ROWS
        steps_hz = np.geomspace(LOWEST_HZ, TOP_HZ - row_hz, POINTS)
        self._first_rows = np.unique(np.round(steps_hz / row_hz).astype(int))
        self._log_hz: NDArray[np.float64] = np.log10(self._first_rows * row_hz)
        self._decibels: Decibels = np.full(len(self._first_rows), LOWEST_DB, np.float32)

    def clear_signal(self) -> None:
        self._decibels = np.full_like(self._decibels, LOWEST_DB)
        self.setData(self._log_hz, self._decibels)

    def push(self, columns: Decibels) -> None:
        loudest = np.maximum.reduceat(columns.max(axis=0), self._first_rows)
        fallen = self._decibels - FALL_DB_PER_SECOND * HOP_SECONDS * len(columns)
        self._decibels = np.maximum(loudest, np.maximum(fallen, LOWEST_DB))
        self.setData(self._log_hz, self._decibels)

    def dress(self, colour: str) -> None:
        fill = QColor(colour)
        fill.setAlphaF(FILL_OPACITY)
        self.setPen(pg.mkPen(colour, width=1.5))
        self.setBrush(fill)


def _in_words(decibels: int) -> str:
    number = text.number(decibels)
    return text.DECIBELS.format(number) if decibels == DECIBEL_TICKS[0][0] else number
