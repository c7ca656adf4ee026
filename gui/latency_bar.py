"""The delay between microphone and listener, and the four parts that it is made of."""

from dataclasses import astuple

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import text
from gui.palette import current_palette
from gui.parts import row
from realtime.stats import LatencyBudget

SEAM = 2.0
RADIUS = 4.0


class LatencyBar(QWidget):
    """The total in numbers over a bar stacked of the parts, and a legend with each part's share."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(text.DELAY)
        self._total = QLabel()
        self._total.setAccessibleName(text.DELAY)
        self._bar = _StackedBar()
        self._legend = [_LegendEntry(number) for number in range(len(text.DELAY_PARTS))]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for parts in ((QLabel(text.DELAY), None, self._total), (self._bar,), self._legend):
            column.addLayout(row(*parts))
        self.set_budget(None)

    def set_budget(self, budget: LatencyBudget | None) -> None:
        """Show `budget`, or that there is none yet."""
        parts_ms = (0.0,) * len(self._legend) if budget is None else astuple(budget)
        total = text.UNKNOWN if budget is None else text.MILLISECONDS.format(budget.total_ms)
        self._total.setText(f"<b>{total}</b>")
        self._bar.show_parts(parts_ms)
        for entry, part_ms in zip(self._legend, parts_ms, strict=True):
            entry.show_part(None if budget is None else part_ms)


class _StackedBar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._parts_ms: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, parts_ms: tuple[float, ...]) -> None:
        if parts_ms != self._parts_ms:
            self._parts_ms = parts_ms
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, round(0.9 * self.fontMetrics().height()))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        palette = current_palette()
        ground = QPainterPath()
        ground.addRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipPath(ground)
            painter.fillRect(self.rect(), QColor(palette.line))
            left, width_per_ms = 0.0, self.width() / max(sum(self._parts_ms), 1e-9)
            for part_ms, colour in zip(self._parts_ms, palette.stages, strict=True):
                width = part_ms * width_per_ms
                painter.fillRect(QRectF(left, 0.0, width - SEAM, self.height()), QColor(colour))
                left += width


class _LegendEntry(QLabel):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self._part_ms: float | None = None
        self.setToolTip(text.DELAY_HELP[number])
        self.setTextFormat(Qt.TextFormat.RichText)

    def show_part(self, part_ms: float | None) -> None:
        self._part_ms = part_ms
        share = text.UNKNOWN if part_ms is None else text.MILLISECONDS.format(part_ms)
        colour = current_palette().stages[self._number]
        name = text.DELAY_PARTS[self._number]
        self.setText(f'<span style="color: {colour}">■</span> {name} {share}')
        self.setAccessibleName(f"{name} {share}")
