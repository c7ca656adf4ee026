"""The key for bypass is heard while another program has the keyboard; needs an X server."""

from collections.abc import Iterator

import pytest
from PyQt6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from gui.hotkey import Hotkey, is_possible
from gui.x11_key import HotkeyError, X11Key

xlib = pytest.importorskip("Xlib.display")


@pytest.fixture
def hotkey(qapp: QGuiApplication) -> Iterator[Hotkey]:
    if not is_possible():
        pytest.skip("there is no X server")
    hotkey = Hotkey()
    yield hotkey
    hotkey.release()


def press(*keys: str) -> None:
    """As fingers do, the last key while the others are down."""
    from Xlib import XK, X
    from Xlib.ext import xtest

    display = xlib.Display()
    codes = [display.keysym_to_keycode(XK.string_to_keysym(key)) for key in keys]
    for code in codes:
        xtest.fake_input(display, X.KeyPress, code)
    for code in reversed(codes):
        xtest.fake_input(display, X.KeyRelease, code)
    display.sync()
    display.close()


def test_the_key_is_heard_without_any_window(hotkey: Hotkey, qtbot: QtBot) -> None:
    hotkey.take("Ctrl+Alt+B")
    with qtbot.waitSignal(hotkey.pressed):
        press("Control_L", "Alt_L", "b")
    hotkey.take("F7")
    with qtbot.assertNotEmitted(hotkey.pressed, wait=200):
        press("Control_L", "Alt_L", "b")
    with qtbot.waitSignal(hotkey.pressed):
        press("F7")


def test_a_key_that_is_taken_or_unknown_is_refused(hotkey: Hotkey) -> None:
    other = X11Key("Ctrl+Alt+B")
    with pytest.raises(HotkeyError, match=r"Ctrl\+Alt\+B belongs to another program; choose"):
        hotkey.take("Ctrl+Alt+B")
    other.close()
    hotkey.take("Ctrl+Alt+B")
    with pytest.raises(HotkeyError, match="cannot be a key for all programs"):
        hotkey.take("Ctrl+Play Media")
