"""The tray says and switches what the window does, and keeps the program running where that is chosen."""

import pytest
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QApplication, QMenu, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from gui import text
from gui.tray import Tray
from tests.desktop import OpenWindow, wait_for, wait_for_sound

pytestmark = pytest.mark.live


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


def test_a_click_that_opens_the_menu_on_a_mac_does_not_raise_the_window(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    on_a_mac = Tray()
    with qtbot.assertNotEmitted(on_a_mac.show_wanted):
        on_a_mac.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)


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


def test_it_is_wired_to_the_window(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        tray, controller = window.findChild(Tray), window.controller
        switches = actions(tray.contextMenu())
        switches[text.BYPASS].trigger()
        switches[text.MUTE].trigger()
        assert controller.settings.bypass and controller.settings.mute
        wait_for(qtbot, lambda: controller.status.state == "running")
        preset_actions(tray)["Call"].trigger()
        assert controller.settings.preset == "call"
        with qtbot.waitSignal(window.closed):
            switches[text.QUIT].trigger()


def test_closing_leaves_it_in_the_tray_where_that_is_chosen(open_window: OpenWindow, qtbot: QtBot) -> None:
    if QApplication.platformName() != "xcb":
        pytest.skip("needs an X server")
    display = pytest.importorskip("Xlib.display").Display()
    tray = display.screen().root.create_window(0, 0, 1, 1, 0, display.screen().root_depth)
    tray.set_selection_owner(display.intern_atom("_NET_SYSTEM_TRAY_S0"), 0)  # what a desktop with a tray has
    with open_window() as window:
        display.sync()  # which comes after the window, as it may after a login
        window.controller.change(close_to_tray=True)
        window.close()
        assert not window.isVisible()
        wait_for_sound(qtbot, window)  # it goes on
        window.raise_up()
        assert window.isVisible()
        with qtbot.waitSignal(window.closed):
            window.quit()
    display.close()
