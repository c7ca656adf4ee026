"""The panel beside the pages cuts none of its words off, however large the letters are."""

from pytestqt.qtbot import QtBot

from gui.side_panel import LEAST_WIDTH, SidePanel
from gui.sound_panel import SoundPanel


def test_it_grows_and_shrinks_with_its_letters(qtbot: QtBot) -> None:
    panel = SidePanel(SoundPanel())
    qtbot.addWidget(panel)
    panel.show()
    assert panel.width() == LEAST_WIDTH
    panel.setStyleSheet("QWidget { font-size: 24pt; }")
    qtbot.waitUntil(lambda: panel.width() > LEAST_WIDTH)
    panel.resize(panel.width(), 200)  # with a bar to scroll by
    inside, seen = panel.widget(), panel.viewport()
    assert inside and seen and inside.minimumSizeHint().width() <= seen.width()
    panel.setStyleSheet("")
    qtbot.waitUntil(lambda: panel.width() == LEAST_WIDTH)
