"""The window in tests: opened on a sound server of its own, and what a user finds in it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QComboBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui.banner import Banner
from gui.main_window import MainWindow
from model.plan import SAMPLE_RATE_HZ
from realtime.ring import Samples
from tests.pulse_server import PATIENCE_SECONDS

SMALLEST = (900, 560)  # logical pixels
VIRTUAL_MIC = "masksr_live_microphone"

OpenWindow = Callable[[], AbstractContextManager[MainWindow]]


def wait_for(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=round(1000 * PATIENCE_SECONDS))


def wait_for_sound(qtbot: QtBot, window: MainWindow) -> None:
    wait_for(qtbot, lambda: window.controller.status.state == "running")


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key) -> None:
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, key)


@contextmanager
def held(*keys: str) -> Iterator[None]:
    """Keys of the X server as fingers hold them, the last one while the others are down."""
    from Xlib import XK, X
    from Xlib.display import Display
    from Xlib.ext import xtest

    with closing(Display()) as display:
        codes = [display.keysym_to_keycode(XK.string_to_keysym(key)) for key in keys]
        for code in codes:
            xtest.fake_input(display, X.KeyPress, code)
        display.sync()
        yield
        for code in reversed(codes):
            xtest.fake_input(display, X.KeyRelease, code)
        display.sync()


def told(window: MainWindow) -> str:
    """What the banner says now."""
    banner = window.findChild(Banner)
    assert banner is not None
    return banner.findChild(QLabel).text() if banner.isVisible() else ""


def action(window: QWidget, name: str) -> QAction:
    return next(each for each in window.findChildren(QAction) if each.text() == name)


def combo_box(window: QWidget, name: str) -> QComboBox:
    return next(each for each in window.findChildren(QComboBox) if each.accessibleName() == name)


def button(window: QWidget, name: str) -> QPushButton:
    return next(each for each in window.findChildren(QPushButton) if each.accessibleName() == name)


def loudest_hz(sound: Samples) -> int:
    """In the last second, so that a bin is one hertz."""
    return int(np.argmax(np.abs(np.fft.rfft(sound[-SAMPLE_RATE_HZ:]))))
