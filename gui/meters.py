"""Level meters of both signals: the bar is RMS, its paler tip the peak, the tick the highest peak of late."""

from collections.abc import Callable
from operator import attrgetter

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from gui import text
from gui.ballistics import Level
from gui.palette import Palette, current_palette
from gui.parts import caption

LOWEST_DBFS = -60.0
TICKS_DBFS = (-60, -48, -36, -24, -12, -6, 0)
PEAK_OPACITY = 0.5
TICK_WIDTH = 2.0


class LevelMeters(QWidget):
    """Two bars over one scale in dBFS, each with its highest peak in numbers and a clip light."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(text.METERS)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        self._dry = _Meter(grid, 0, text.MICROPHONE, attrgetter("dry"))
        self._restored = _Meter(grid, 1, text.RESTORED, attrgetter("restored"))
        grid.addWidget(_Scale(self), 2, 1)
        grid.addWidget(caption(text.METER_UNIT), 2, 2, 1, 2)
        grid.setColumnStretch(1, 1)

    def set_levels(self, dry: Level, restored: Level) -> None:
        self._dry.show(dry)
        self._restored.show(restored)


class _Meter:
    """One row of the grid: title, bar, number and clip light."""

    def __init__(self, grid: QGridLayout, row: int, title: str, colour_in: Callable[[Palette], str]) -> None:
        self._bar, self._number, self._clip = _Bar(colour_in), QLabel(), _ClipLight()
        for column, part in enumerate((QLabel(title), self._bar, self._number, self._clip)):
            grid.addWidget(part, row, column)
        self._number.setAccessibleName(text.METER_PEAK.format(signal=title))
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._number.setFixedWidth(self._number.fontMetrics().horizontalAdvance(_in_words(-58.8)))
        self.show(Level())

    def show(self, level: Level) -> None:
        self._bar.show_level(level)
        self._number.setText(_in_words(level.held_peak_dbfs))
        self._clip.show_clipped(level.clipped)


class _Bar(QWidget):
    def __init__(self, colour_in: Callable[[Palette], str]) -> None:
        super().__init__()
        self._colour_in = colour_in
        self._level = Level()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_level(self, level: Level) -> None:
        if level != self._level:
            self._level = level
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(260, round(0.8 * self.fontMetrics().height()))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        palette = current_palette()
        rms_colour, peak_colour = QColor(self._colour_in(palette)), QColor(self._colour_in(palette))
        peak_colour.setAlphaF(PEAK_OPACITY)
        peak, rms, held = (
            _place(decibels, self.width())
            for decibels in (self._level.peak_dbfs, self._level.rms_dbfs, self._level.held_peak_dbfs)
        )
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(palette.line))
            painter.fillRect(QRectF(0.0, 0.0, peak, self.height()), peak_colour)
            painter.fillRect(QRectF(0.0, 0.0, rms, self.height()), rms_colour)
            if held > TICK_WIDTH:
                tick = QRectF(held - TICK_WIDTH, 0.0, TICK_WIDTH, self.height())
                painter.fillRect(tick, QColor(palette.text))


class _Scale(QWidget):
    def sizeHint(self) -> QSize:
        return QSize(260, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        metrics = self.fontMetrics()
        with QPainter(self) as painter:
            painter.setPen(QColor(current_palette().muted))
            for tick in TICKS_DBFS:
                label = text.number(tick)
                width = metrics.horizontalAdvance(label)
                left = min(max(_place(tick, self.width()) - width / 2, 0.0), self.width() - width)
                painter.drawText(QRectF(left, 0.0, width + 1.0, self.height()), label)


class _ClipLight(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._is_lit = False
        self.setAccessibleName(text.METER_NOT_CLIPPED)
        self.setToolTip(text.METER_CLIP_HELP)

    def show_clipped(self, is_lit: bool) -> None:
        if is_lit != self._is_lit:
            self._is_lit = is_lit
            self.setAccessibleName(text.METER_CLIPPED if is_lit else text.METER_NOT_CLIPPED)
            self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(text.METER_CLIP) + 14, metrics.height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        palette = current_palette()
        ground, ink = (palette.danger, palette.surface) if self._is_lit else (palette.line, palette.muted)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ground))
            painter.drawRoundedRect(self.rect(), 4.0, 4.0)
            painter.setPen(QColor(ink))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text.METER_CLIP)


def _place(decibels: float, width: int) -> float:
    return width * min(1.0, max(0.0, 1.0 - decibels / LOWEST_DBFS))


def _in_words(decibels: float) -> str:
    if decibels <= LOWEST_DBFS:
        return "−∞"
    return text.number(decibels, "+.1f")
