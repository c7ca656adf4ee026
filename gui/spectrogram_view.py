"""Two scrolling spectrograms on one frequency axis: the microphone above what was made of it."""

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QPainter

from gui import text
from gui.palette import current_palette
from gui.ring_image import Pixels, RingImage
from gui.signal_picture import BOTTOM_AXIS_HEIGHT, LEFT_AXIS_WIDTH, SignalPicture
from gui.stft_columns import HOP_SECONDS, TOP_HZ, Decibels

ROWS = 256
SECONDS = 10.0
DARKEST_DB, BRIGHTEST_DB = -110.0, -40.0  # where speech lies
KILOHERTZ_TICKS = (0, 5, 10, 15, 20)
SECONDS_TICKS = (-8, -6, -4, -2)
LABEL_OPACITY = 0.8


class SpectrogramView(SignalPicture):
    """Shows the newest `SECONDS` of both signals."""

    def __init__(self) -> None:
        dry, restored = _Spectrogram(text.MICROPHONE), _Spectrogram(text.RESTORED)
        super().__init__(text.SPECTROGRAMS, dry, restored, ROWS)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.ci.setContentsMargins(0.0, 4.0, 0.0, 0.0)
        self._seconds = pg.AxisItem("bottom", linkView=restored.getViewBox())
        self._seconds.setTicks(
            [[(second, text.SECONDS.format(text.number(second))) for second in SECONDS_TICKS]]
        )
        self._seconds.setHeight(BOTTOM_AXIS_HEIGHT)
        for row, part in enumerate((dry, restored, self._seconds)):
            self.addItem(part, row, 0)
        self.dress()

    def dress(self) -> None:
        super().dress()
        self._seconds.setPen(None)
        self._seconds.setTextPen(current_palette().muted)


class _Spectrogram(pg.PlotItem):  # type: ignore[misc]  # the package has no types
    """One titled picture with its frequency axis."""

    def __init__(self, title: str) -> None:
        super().__init__(enableMenu=False)
        self._title = title
        self._pixels = RingImage(ROWS, round(SECONDS / HOP_SECONDS))
        self._image = pg.ImageItem(self._pixels.newest, axisOrder="row-major", levels=(0, 255))
        self._image.setRect(QRectF(-SECONDS, 0.0, SECONDS, TOP_HZ))
        self._label = pg.TextItem(anchor=(0, 0))
        self._label.setPos(-SECONDS, TOP_HZ)
        self.addItem(self._image)
        self.addItem(self._label)
        self._set_axes()

    def clear_signal(self) -> None:
        self._pixels.clear()
        self._show()

    def push(self, columns: Decibels) -> None:
        self._pixels.push(_brightness(columns))
        self._show()

    def dress(self, colour: str) -> None:
        palette = current_palette()
        ground = QColor(palette.surface)
        ground.setAlphaF(LABEL_OPACITY)
        self._label.fill = pg.mkBrush(ground)
        self._label.setHtml(f'<b style="color: {colour}">{self._title}</b>')
        self._image.setColorMap(pg.ColorMap(None, palette.heat))
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
        self.getAxis("left").setTicks([[*ticks, (1000 * top, text.KILOHERTZ.format(top))]])

    def _show(self) -> None:
        self._image.setImage(self._pixels.newest, autoLevels=False)


def _brightness(columns: Decibels) -> Pixels:
    share = (columns - DARKEST_DB) / (BRIGHTEST_DB - DARKEST_DB)
    return (255.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8)
