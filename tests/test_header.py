"""The header says what becomes of the voice now, and nothing that is not so."""

import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui import text
from gui.header import Header
from gui.palette import current_palette
from gui.settings import Settings
from gui.state_light import StateLight
from realtime.messages import EngineStatus

RESTORING = EngineStatus(state="running", passes_now=1, passes_wanted=4)
TOO_BUSY = EngineStatus(state="running", passes_now=0, passes_wanted=4)


@pytest.mark.parametrize(
    ("status", "settings", "sentence", "colour"),
    [
        (RESTORING, Settings(), text.RUNNING, "good"),
        (RESTORING, Settings(bypass=True), text.BYPASSED, "muted"),
        (RESTORING, Settings(bypass=True, mute=True), text.MUTED, "muted"),
        (TOO_BUSY, Settings(), text.TOO_BUSY, "warning"),
        (EngineStatus(state="dry"), Settings(), text.DRY, "warning"),
        (EngineStatus(state="dry"), Settings(mute=True), text.MUTED, "warning"),
        (EngineStatus(state="failed"), Settings(), text.FAILED, "danger"),
    ],
)
def test_sentence_and_light_say_what_goes_out(
    qtbot: QtBot, status: EngineStatus, settings: Settings, sentence: str, colour: str
) -> None:
    header = Header()
    qtbot.addWidget(header)
    header.show_state(status, settings, hears_dry=False)
    assert sentence in [label.accessibleName() for label in header.findChildren(QLabel)]
    light = header.findChild(StateLight).grab().toImage()
    middle = light.pixelColor(light.width() // 2, light.height() // 2)
    assert middle.name() == getattr(current_palette(), colour)
