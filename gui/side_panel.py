"""The column of cards beside the pages."""

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

LEAST_WIDTH = 300


class SidePanel(QScrollArea):
    """As wide as the words on its cards need, however large the letters are; scrolls up and down."""

    def __init__(self, *cards: QWidget) -> None:
        super().__init__()
        self._inside = QWidget()
        column = QVBoxLayout(self._inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for card in cards:
            column.addWidget(card)
        column.addStretch(1)
        self.setWidgetResizable(True)
        self.setWidget(self._inside)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._fit()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hear from the cards that they need another width."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        bar = self.verticalScrollBar()
        assert bar is not None
        needed = self._inside.minimumSizeHint().width() + bar.sizeHint().width()
        self.setFixedWidth(max(LEAST_WIDTH, needed + 2 * self.frameWidth()))
