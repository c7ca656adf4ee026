"""What is done off the window's thread tells how it ended."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from gui.background import Background


def test_what_the_system_refuses_is_told_in_a_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    background = Background()
    with qtbot.waitSignal(background.failed) as told:
        background.run((tmp_path / "gone").unlink)
    background.close()
    assert "gone" in told.args[0] and "see to the place" in told.args[0]
