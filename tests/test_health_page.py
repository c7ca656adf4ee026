"""The page of health tells what is wrong, and what to do, and looks again when asked to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gui import text
from gui.controller import Controller
from gui.health_page import HealthPage
from gui.settings import SettingsFile
from presets.library import PresetLibrary
from tests.pulse_server import PATIENCE_SECONDS, PulseServer

pytestmark = pytest.mark.live


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HealthPage]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    controller = Controller(SettingsFile(tmp_path / "settings.json"), PresetLibrary(tmp_path))
    page = HealthPage(controller)
    qtbot.addWidget(page)
    yield page
    controller.background.close()


def read_out(page: HealthPage) -> list[str]:
    """Everything that Tab reaches and a screen reader says."""
    return [label.accessibleName() for label in page.findChildren(QLabel) if label.accessibleName()]


def wait_until_checked(qtbot: QtBot, page: HealthPage) -> QPushButton:
    button = page.findChild(QPushButton)
    assert button is not None
    qtbot.waitUntil(button.isEnabled, timeout=round(1000 * PATIENCE_SECONDS))
    return button


def test_it_looks_when_it_is_shown_and_again_when_asked_to(page: HealthPage, qtbot: QtBot) -> None:
    with PulseServer() as pulse:
        page.show()
        assert page.findChild(QPushButton).isEnabled() is False
        button = wait_until_checked(qtbot, page)
        assert f"Microphone, {text.HEALTH_OK}: Desk Microphone" in read_out(page)
        pulse.kill()
        qtbot.keyClick(button, Qt.Key.Key_Space)
        wait_until_checked(qtbot, page)
    qtbot.waitUntil(lambda: len(read_out(page)) == 6)
    server = next(sentence for sentence in read_out(page) if sentence.startswith("Sound server"))
    assert text.HEALTH_BAD in server
    assert "see whether PipeWire or PulseAudio is running" in server
