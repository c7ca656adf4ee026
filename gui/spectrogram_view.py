"""Two scrolling spectrograms on one frequency axis: the microphone above what was made of it."""

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter
from PyQt6.QtWidgets import QWidget

from gui import text
from gui.palette import current_palette
from gui.ring_image import Pixels, RingImage
from gui.stft_columns import HOP_SECONDS, TOP_HZ, Decibels, StftColumns
from realtime.ring import Samples

ROWS = 256
SECONDS = 10.0
DARKEST_DB, BRIGHTEST_DB = -110.0, -40.0  # where speech lies
KILOHERTZ_TICKS = (0, 5, 10, 15, 20)
SECONDS_TICKS = (-8, -6, -4, -2)
LABEL_OPACITY = 0.8
LEFT_AXIS_WIDTH, BOTTOM_AXIS_HEIGHT = 52, 20  # the spectrum's are the same


class SpectrogramView(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # the package has no types
    """Shows the newest `SECONDS` of both signals; `start` comes before the first `push`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(text.SPECTROGRAMS)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.ci.setContentsMargins(0.0, 8.0, 8.0, 4.0)
        self._dry = _Spectrogram(text.MICROPHONE)
        self._restored = _Spectrogram(text.RESTORED)
        self._seconds = pg.AxisItem("bottom", linkView=self._restored.getViewBox())
        self._seconds.setTicks([[(second, f"{text.number(second)} s") for second in SECONDS_TICKS]])
        self._seconds.setHeight(BOTTOM_AXIS_HEIGHT)
        for row, part in enumerate((self._dry, self._restored, self._seconds)):
            self.addItem(part, row, 0)
        self._dress()

    def start(self, sample_rate_hz: int) -> None:
        """Begin with empty pictures of signals at this rate."""
        self._dry.start(sample_rate_hz)
        self._restored.start(sample_rate_hz)

    def push(self, dry: Samples, restored: Samples) -> None:
        """Append the newest of both signals, float32 [n] each and of the same time."""
        self._dry.push(dry)
        self._restored.push(restored)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange and not self.closed:
            self._dress()  # what is closed pyqtgraph has taken apart

    def _dress(self) -> None:
        palette = current_palette()
        self.setBackground(palette.surface)
        self._dry.dress(palette.dry)
        self._restored.dress(palette.restored)
        self._seconds.setPen(None)
        self._seconds.setTextPen(palette.muted)


class _Spectrogram(pg.PlotItem):  # type: ignore[misc]
    """One titled picture with its frequency axis."""

    def __init__(self, title: str) -> None:
        super().__init__(enableMenu=False)
        self._title = title
        self._columns: StftColumns | None = None
        self._pixels = RingImage(ROWS, round(SECONDS / HOP_SECONDS))
        self._image = pg.ImageItem(self._pixels.newest, axisOrder="row-major", levels=(0, 255))
        self._image.setRect(QRectF(-SECONDS, 0.0, SECONDS, TOP_HZ))
        self._label = pg.TextItem(anchor=(0, 0))
        self._label.setPos(-SECONDS, TOP_HZ)
        self.addItem(self._image)
        self.addItem(self._label)
        self._set_axes()

    def start(self, sample_rate_hz: int) -> None:
        self._columns = StftColumns(sample_rate_hz, ROWS)
        self._pixels.clear()
        self._show()

    def push(self, samples: Samples) -> None:
        assert self._columns is not None, "start comes before push"
        columns = self._columns.push(samples)
        if len(columns):
            self._pixels.push(_brightness(columns))
            self._show()

    def dress(self, colour: str) -> None:
        palette = current_palette()
        ground = QColor(palette.surface)
        ground.setAlphaF(LABEL_OPACITY)
        self._label.fill = pg.mkBrush(ground)
        self._label.setHtml(f'<b style="color: {colour}">{self._title}</b>')
        self._image.setColorMap(pg.colormap.get(palette.heat))
        self.getAxis("left").setPen(None)
        self.getAxis("left").setTextPen(palette.muted)

    def _set_axes(self) -> None:
        self.hideButtons()
        self.hideAxis("bottom")
        self.getAxis("left").setWidth(LEFT_AXIS_WIDTH)
        self.setMouseEnabled(x=False, y=False)
        self.setRange(xRange=(-SECONDS, 0.0), yRange=(0.0, TOP_HZ), padding=0.0)
        ticks = [(1000 * tick, f"{tick}") for tick in KILOHERTZ_TICKS[:-1]]
        top = KILOHERTZ_TICKS[-1]
        self.getAxis("left").setTicks([[*ticks, (1000 * top, f"{top} {text.KILOHERTZ}")]])

    def _show(self) -> None:
        self._image.setImage(self._pixels.newest, autoLevels=False)


def _brightness(columns: Decibels) -> Pixels:
    share = (columns - DARKEST_DB) / (BRIGHTEST_DB - DARKEST_DB)
    return (255.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8)
