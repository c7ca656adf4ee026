"""The key for bypass is heard while another program has the keyboard; needs an X server."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from select import select

import psutil
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication, QKeySequence
from PyQt6.QtWidgets import QApplication, QKeySequenceEdit, QLabel
from pytestqt.qtbot import QtBot

from gui import text
from gui.controller import Controller
from gui.global_key import HotkeyError
from gui.heard_key import HeardKey
from gui.hotkey import Hotkey, is_possible
from gui.hotkey_field import HotkeyField
from gui.key_names import NAMED, pynput_names
from gui.settings import SettingsFile
from presets.library import PresetLibrary
from tests.desktop import OpenWindow, action, button, held

pytestmark = pytest.mark.live

pytest.importorskip("Xlib")

START_MS = 20_000  # a listener's, on a busy machine
HELD_MS = 1500  # in which the X server repeats a key


@pytest.fixture(autouse=True)
def x_server(qapp: QGuiApplication) -> None:
    if not is_possible():
        pytest.skip("there is no X server")


@pytest.fixture
def hotkey() -> Iterator[Hotkey]:
    hotkey = Hotkey()
    yield hotkey
    hotkey.release()


@pytest.fixture
def controller(qapp: QApplication, settings_file: SettingsFile, tmp_path: Path) -> Iterator[Controller]:
    """One that remembers a key."""
    controller = Controller(settings_file, PresetLibrary(tmp_path))
    controller.change(hotkey="Ctrl+Alt+B")
    yield controller
    controller.background.close()


@pytest.fixture
def field(controller: Controller, qtbot: QtBot) -> Iterator[HotkeyField]:
    """The field of the settings, where keys are typed now."""
    field = HotkeyField(controller)
    qtbot.addWidget(field)
    with qtbot.waitActive(field):
        field.show()
        field.activateWindow()
    field.setFocus()
    yield field
    field.release()


def press(*keys: str) -> None:
    with held(*keys):
        pass


def heard(key: str, qtbot: QtBot, *fingers: str) -> HeardKey:
    """A key whose listener has begun to hear `fingers`."""
    listening, presses = HeardKey(key), list[None]()
    listening.pressed.connect(lambda: presses.append(None))

    def hears() -> bool:
        press(*fingers)
        qtbot.wait(50)
        return bool(presses)

    qtbot.waitUntil(hears, timeout=START_MS)
    qtbot.wait(300)  # for those of the presses that come late
    return listening


def listeners() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "gui.key_listener" in child.cmdline()]


def test_the_key_is_heard_without_any_window(hotkey: Hotkey, qtbot: QtBot) -> None:
    hotkey.take("Ctrl+Alt+B")
    with qtbot.waitSignal(hotkey.pressed):
        press("Control_L", "Alt_L", "b")
    hotkey.take("F7")
    with qtbot.assertNotEmitted(hotkey.pressed, wait=200):
        press("Control_L", "Alt_L", "b")
    with qtbot.waitSignal(hotkey.pressed):
        press("F7")


def test_a_key_that_is_held_is_pressed_once(hotkey: Hotkey, qtbot: QtBot) -> None:
    presses = list[None]()
    hotkey.pressed.connect(lambda: presses.append(None))
    hotkey.take("F7")
    for _ in range(2):
        with held("F7"):
            qtbot.wait(HELD_MS)
    qtbot.waitUntil(lambda: len(presses) == 2)


@pytest.mark.parametrize(("key", "name"), [("F9", text.BYPASS), ("F10", text.MUTE)])
def test_a_key_of_the_window_that_is_held_switches_once(
    open_window: OpenWindow, qtbot: QtBot, key: str, name: str
) -> None:
    with open_window() as window:
        switched = list[bool]()
        action(window, name).toggled.connect(switched.append)
        with qtbot.waitActive(window):
            window.activateWindow()
        with held(key):
            qtbot.wait(HELD_MS)
        assert switched == [True]
        window.close()


def test_the_key_for_the_dry_sound_is_held_without_a_gap(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        heard_dry = list[bool]()
        controller = window.controller
        controller.settings_changed.connect(lambda: heard_dry.append(controller.hears_dry))
        with qtbot.waitActive(window):
            window.activateWindow()
        with held("F8"):
            qtbot.wait(HELD_MS)
        qtbot.waitUntil(lambda: not controller.hears_dry)
        assert heard_dry == [True, False]
        window.close()


def test_a_key_that_is_taken_or_unknown_is_refused(hotkey: Hotkey) -> None:
    from gui.x11_key import X11Key

    with (
        closing(X11Key("Ctrl+Alt+B")),
        pytest.raises(HotkeyError, match="belongs to another program; choose"),
    ):
        hotkey.take("Ctrl+Alt+B")
    hotkey.take("Ctrl+Alt+B")
    with pytest.raises(HotkeyError, match="cannot be a key for all programs"):
        hotkey.take("Ctrl+Play Media")


def shown(field: HotkeyField) -> str:
    return field.findChild(QKeySequenceEdit).keySequence().toString(QKeySequence.SequenceFormat.PortableText)


def said(field: HotkeyField) -> str:
    """The note below it."""
    return " ".join(label.text() for label in field.findChildren(QLabel))


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [
        (Qt.Key.Key_Shift, Qt.KeyboardModifier.ShiftModifier),
        (Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier),
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
    ],
)
def test_what_cannot_be_a_key_leaves_the_one_before(
    field: HotkeyField,
    controller: Controller,
    qtbot: QtBot,
    key: Qt.Key,
    modifiers: Qt.KeyboardModifier,
) -> None:
    edit = field.findChild(QKeySequenceEdit)
    qtbot.keyClick(edit, key, modifiers)
    assert edit.hasFocus() == (key != Qt.Key.Key_Backtab)
    edit.clearFocus()
    assert controller.settings.hotkey == shown(field) == "Ctrl+Alt+B"
    assert ("choose one with a letter" in said(field)) == (key == Qt.Key.Key_Escape)
    with qtbot.waitSignal(controller.settings_changed):
        press("Control_L", "Alt_L", "b")
    assert controller.settings.bypass


def test_a_key_that_the_x_server_refuses_is_kept_and_told(
    controller: Controller, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", "refused")
    field = HotkeyField(controller)
    qtbot.addWidget(field)
    assert "hands this program no keys" in said(field)
    assert controller.settings.hotkey == shown(field) == "Ctrl+Alt+B"


def test_another_key_is_typed_and_only_its_button_leaves_none(
    field: HotkeyField, controller: Controller, qtbot: QtBot
) -> None:
    qtbot.keyClick(field.findChild(QKeySequenceEdit), Qt.Key.Key_F7)
    assert controller.settings.hotkey == shown(field) == "F7"
    with qtbot.waitSignal(controller.settings_changed):
        press("F7")
    button(field, text.HOTKEY_CLEAR).click()
    assert controller.settings.hotkey is None and not shown(field)


@pytest.mark.parametrize(
    ("key", "fingers"),
    [
        ("Ctrl+Alt+B", ("Control_R", "Alt_L", "b")),
        ("Shift+Meta+B", ("Shift_L", "Super_L", "b")),
        ("F9", ("F9",)),
        ("Shift+PgUp", ("Shift_R", "Prior")),
        ("Alt+Space", ("Alt_L", "space")),
    ],
)
def test_a_key_is_heard_among_all_others(key: str, fingers: tuple[str, ...], qtbot: QtBot) -> None:
    with closing(heard(key, qtbot, *fingers)) as listening:
        with qtbot.assertNotEmitted(listening.pressed, wait=200):
            press("F7")
            press(*fingers[:-1], "c")
        with qtbot.waitSignal(listening.pressed):
            press(*fingers)


def test_a_press_is_heard_once_and_none_after_release(qtbot: QtBot) -> None:
    listening, presses = heard("F9", qtbot, "F9"), list[None]()
    listening.pressed.connect(lambda: presses.append(None))
    press("F9")
    qtbot.waitUntil(lambda: bool(presses))
    qtbot.wait(200)
    assert len(listeners()) == 1
    listening.close()
    assert not listeners()
    press("F9")
    qtbot.wait(200)
    assert len(presses) == 1


def test_the_listener_hears_a_key_by_its_number_and_ends_with_the_window(qtbot: QtBot) -> None:
    command = [sys.executable, "-m", "gui.key_listener", f"<ctrl>+<{ord('b')}>"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as listener:
        window, presses = listener.stdin, listener.stdout
        assert window and presses

        def hears() -> bool:
            press("Control_L", "b")
            return bool(select([presses], [], [], 0.05)[0])

        try:
            qtbot.waitUntil(hears, timeout=START_MS)
            window.close()
            assert listener.wait(timeout=START_MS / 1000) == 0
        finally:
            listener.kill()


def test_a_listener_that_ends_or_is_not_trusted_is_told(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(heard("F9", qtbot, "F9")) as listening:
        with qtbot.waitSignal(listening.failed) as told:
            listeners()[0].kill()
        assert told.args == [text.HOTKEY_LOST]
    as_on_macos = "import pynput._util.xorg\npynput._util.xorg.ListenerMixin.IS_TRUSTED = False\n"
    (tmp_path / "sitecustomize.py").write_text(as_on_macos)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with closing(HeardKey("F9")) as listening, qtbot.waitSignal(listening.failed, timeout=START_MS) as told:
        pass
    assert told.args and "Accessibility" in told.args[0]


@pytest.mark.parametrize("key", ["Ctrl+Play Media", "Ctrl++", "Num+5", "F35", "Ctrl+É"])
def test_an_impossible_key_is_refused_at_once(key: str) -> None:
    with pytest.raises(HotkeyError, match="cannot be a key for all programs; choose"):
        HeardKey(key)
    assert not listeners()


@pytest.mark.parametrize(
    ("key", "platform", "names"),
    [
        ("Ctrl+Alt+B", "win32", "<ctrl>+<alt>+<66>"),
        ("Ctrl+Alt+B", "darwin", "<cmd>+<alt>+<11>"),
        ("Meta+B", "darwin", "<ctrl>+b"),
        ("Meta+PgUp", "win32", "<cmd>+<page_up>"),
    ],
)
def test_keys_are_called_what_the_system_calls_them(key: str, platform: str, names: str) -> None:
    assert pynput_names(key, platform) == names


def test_pynput_knows_every_key_that_is_not_refused() -> None:
    from pynput.keyboard import HotKey

    assert len({str(HotKey.parse(pynput_names(f"Ctrl+{key}", sys.platform))) for key in NAMED}) == len(NAMED)


def test_the_window_imports_no_listener_before_a_key_is_wanted() -> None:
    code = "import sys, gui.hotkey_field; sys.exit(bool({'pynput', 'Xlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
