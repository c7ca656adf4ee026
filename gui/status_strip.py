"""How the engine is doing, in a line of figures."""

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import text
from gui.palette import current_palette
from realtime.messages import EngineStatus

BUSY, OVERLOADED = 0.8, 1.0  # of the time there is


class StatusStrip(QWidget):
    """Load, passes now and wanted, dropouts, what computes, and the step of the overload ladder."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(text.STATUS)
        self._load_bar = _LoadBar()
        self._load = _Figure(text.LOAD, text.LOAD_HELP, picture=self._load_bar)
        self._passes = _Figure(text.PASSES, text.PASSES_HELP)
        self._dropouts = _Figure(text.DROPOUTS, text.DROPOUTS_HELP)
        self._device = _Figure(text.COMPUTES_ON, text.COMPUTES_ON_HELP, value=_Words())
        self._rung = _Figure(text.RUNG, text.RUNG_HELP)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for figure in (self._load, self._passes, self._dropouts, self._device):
            row.addWidget(figure)
        row.addWidget(self._rung, 1)
        self.set_status(EngineStatus())

    def set_status(self, status: EngineStatus) -> None:
        report = status.report
        load = 0.0 if report is None else report.real_time_factor_p95
        self._load_bar.show_load(load)
        self._load.show_value(text.UNKNOWN if report is None else text.PER_CENT.format(100 * load))
        now, wanted = status.passes_now, status.passes_wanted
        self._passes.show_value(text.PASSES_OF.format(now=now, wanted=wanted) if wanted else text.UNKNOWN)
        self._rung.show_value(_effort(status), status.rung)
        self._dropouts.show_value(text.UNKNOWN if report is None else str(report.dropouts))
        self._device.show_value(status.device)


class _Figure(QWidget):
    """A caption over a value, and maybe a picture of the value beside it."""

    def __init__(
        self, caption: str, help_text: str, value: QLabel | None = None, picture: QWidget | None = None
    ) -> None:
        super().__init__()
        self._help = help_text
        title, self._value = QLabel(caption), value or QLabel()
        title.setProperty("role", "caption")
        self._value.setAccessibleName(caption)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(title)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(6)
        if picture is not None:
            row.addWidget(picture)
        row.addWidget(self._value, 1)
        column.addLayout(row)

    def show_value(self, value: str, in_full: str = "") -> None:
        """`in_full` says more than there is room for; it goes into the tip."""
        self._value.setText(value)
        self._value.setAccessibleDescription(in_full or value)
        self.setToolTip("\n\n".join(filter(None, (self._help, in_full))))


def _effort(status: EngineStatus) -> str:
    if not status.passes_wanted:
        return text.UNKNOWN
    if status.passes_now == status.passes_wanted:
        return text.RUNG_FULL
    return text.RUNG_LESS if status.passes_now else text.RUNG_NONE


class _Words(QLabel):
    """Ends in an ellipsis where there is no room, rather than widening the window."""

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        with QPainter(self) as painter:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, words)


class _LoadBar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._load = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_load(self, load: float) -> None:
        if load != self._load:
            self._load = load
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(56, round(0.5 * self.fontMetrics().height()))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        palette = current_palette()
        colour = palette.good if self._load < BUSY else palette.warning
        if self._load >= OVERLOADED:
            colour = palette.danger
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(palette.line))
            painter.fillRect(
                QRectF(0.0, 0.0, min(self._load, 1.0) * self.width(), self.height()), QColor(colour)
            )
