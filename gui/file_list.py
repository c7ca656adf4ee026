"""The list of files as it is painted: a light for the state, the name, a word about it, and the progress."""

from PyQt6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QPainter
from PyQt6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gui import text
from gui.file_queue import FileQueue, FileRole, FileState
from gui.palette import Palette, current_palette

PADDING = 10
LIGHT = 10
BAR_HEIGHT = 4


class FileList(QListView):
    """Rows are chosen with the arrow keys; Enter or a double click activates one."""

    def __init__(self, queue: FileQueue) -> None:
        super().__init__()
        self.setModel(queue)
        self.setItemDelegate(_FileDelegate(self))
        self.setUniformItemSizes(True)
        self.setAccessibleName(text.FILES)


class _FileDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(240, 2 * option.fontMetrics.height() + 2 * PADDING + BAR_HEIGHT)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        assert painter is not None
        palette = current_palette()
        state: FileState = index.data(FileRole.STATE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, palette, option)
        inside = option.rect.adjusted(PADDING, PADDING, -PADDING, -PADDING)
        self._paint_light(painter, palette, inside, state)
        words = inside.adjusted(LIGHT + PADDING, 0, 0, 0)
        self._paint_words(painter, palette, words, option, index)
        if state == "working":
            self._paint_progress(painter, palette, words, index.data(FileRole.SHARE))
        painter.restore()

    def _paint_ground(self, painter: QPainter, palette: Palette, option: QStyleOptionViewItem) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(palette.raised))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1.0, 1.0, -1.0, -1.0), 6.0, 6.0)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(palette.focus))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5), 6.0, 6.0)

    def _paint_light(self, painter: QPainter, palette: Palette, inside: QRect, state: FileState) -> None:
        colours: dict[FileState, str] = {
            "waiting": palette.line,
            "working": palette.accent,
            "done": palette.good,
            "failed": palette.danger,
            "cancelled": palette.border,
        }
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours[state]))
        painter.drawEllipse(QRectF(inside.left(), inside.top() + PADDING / 2, LIGHT, LIGHT))

    def _paint_words(
        self,
        painter: QPainter,
        palette: Palette,
        words: QRect,
        option: QStyleOptionViewItem,
        index: QModelIndex,
    ) -> None:
        height = option.fontMetrics.height()
        bold = QFont(option.font)
        bold.setBold(True)
        note_colour = palette.danger if index.data(FileRole.STATE) == "failed" else palette.muted
        lines = (
            (bold, palette.text, index.data(), Qt.TextElideMode.ElideMiddle),
            (option.font, note_colour, index.data(FileRole.NOTE), Qt.TextElideMode.ElideRight),
        )
        for number, (font, colour, line, elide) in enumerate(lines):
            painter.setFont(font)
            painter.setPen(QColor(colour))
            place = QRect(words.left(), words.top() + number * height, words.width(), height)
            painter.drawText(place, 0, painter.fontMetrics().elidedText(line, elide, words.width()))

    def _paint_progress(self, painter: QPainter, palette: Palette, words: QRect, share: float) -> None:
        groove = QRectF(words.left(), words.bottom() - BAR_HEIGHT + 4, words.width(), BAR_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        for width, colour in ((groove.width(), palette.line), (share * groove.width(), palette.accent)):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(groove.left(), groove.top(), width, BAR_HEIGHT), 2.0, 2.0)
