"""The tray's menu says and switches what the window does."""

import pytest
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from gui import text
from gui.tray import Tray


@pytest.fixture
def tray(qtbot: QtBot) -> Tray:
    return Tray()


def actions(menu: QMenu | None) -> dict[str, QAction]:
    assert menu is not None
    return {action.text(): action for action in menu.actions()}


def preset_actions(tray: Tray) -> dict[str, QAction]:
    return actions(actions(tray.contextMenu())[text.TRAY_PRESET].menu())


@pytest.mark.parametrize("name", [text.BYPASS, text.MUTE])
def test_switches_tell_what_they_were_switched_to(tray: Tray, qtbot: QtBot, name: str) -> None:
    signal = tray.bypass_switched if name == text.BYPASS else tray.mute_switched
    for on in (True, False):
        with qtbot.waitSignal(signal) as told:
            actions(tray.contextMenu())[name].trigger()
        assert told.args == [on]


def test_it_shows_what_was_switched_elsewhere_and_tells_nobody(tray: Tray, qtbot: QtBot) -> None:
    plain = tray.icon().pixmap(64, 64).toImage()
    with qtbot.assertNotEmitted(tray.bypass_switched):
        tray.set_switches(bypass=True, mute=False)
    assert actions(tray.contextMenu())[text.BYPASS].isChecked()
    assert tray.toolTip() == text.BYPASSED
    bypassed = tray.icon().pixmap(64, 64).toImage()
    tray.set_switches(bypass=True, mute=True)
    muted = tray.icon().pixmap(64, 64).toImage()
    assert plain != bypassed != muted != plain


def test_presets_are_offered_and_chosen(tray: Tray, qtbot: QtBot) -> None:
    tray.set_presets({"gone": "Gone"}, "gone")
    tray.set_presets({None: "Best", "call": "Call", "studio": "Studio"}, "call")
    assert [name for name, action in preset_actions(tray).items() if action.isChecked()] == ["Call"]
    assert "Gone" not in preset_actions(tray)
    for name, choice in {"Studio": "studio", "Best": None}.items():
        with qtbot.waitSignal(tray.preset_chosen) as told:
            preset_actions(tray)[name].trigger()
        assert told.args == [choice]


def test_the_window_and_the_end_are_a_click_away(tray: Tray, qtbot: QtBot) -> None:
    with qtbot.waitSignal(tray.show_wanted):
        tray.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    with qtbot.waitSignal(tray.show_wanted):
        actions(tray.contextMenu())[text.TRAY_SHOW].trigger()
    with qtbot.waitSignal(tray.quit_wanted):
        actions(tray.contextMenu())[text.QUIT].trigger()
