"""The page of settings changes the desktop as the user says, and tells where that fails."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from gui import text
from gui.controller import Controller
from gui.settings import SettingsFile
from gui.settings_page import SettingsPage
from gui.theme import Theme
from presets.library import PresetLibrary

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such menus")


@pytest.fixture
def controller(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Controller]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    controller = Controller(SettingsFile(tmp_path / "settings.json"), PresetLibrary(tmp_path))
    yield controller
    controller.background.close()


def opened(controller: Controller, qapp: QApplication, qtbot: QtBot) -> SettingsPage:
    page = SettingsPage(controller, Theme(qapp, "dark"))
    qtbot.addWidget(page)
    return page


def menu_box(page: SettingsPage) -> QCheckBox:
    return next(box for box in page.findChildren(QCheckBox) if box.text() == text.IN_MENU)


def test_the_program_comes_to_the_menu_and_goes(
    controller: Controller, qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    entry = tmp_path / "share" / "applications" / "masksr-live.desktop"
    page = opened(controller, qapp, qtbot)
    menu_box(page).click()
    assert "main.py" in entry.read_text(encoding="utf-8")
    again = opened(controller, qapp, qtbot)
    assert menu_box(again).isChecked()
    menu_box(again).click()
    assert not entry.exists()


def test_a_menu_that_cannot_be_written_is_told(
    controller: Controller, qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "share").write_text("in the way")
    page = opened(controller, qapp, qtbot)
    with qtbot.waitSignal(controller.failed) as told:
        menu_box(page).click()
    assert str(tmp_path / "share") in told.args[0]
    assert not menu_box(page).isChecked()
