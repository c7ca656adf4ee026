"""The window as its users meet it, with the real engine on a real sound server."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from multiprocessing import active_children
from pathlib import Path
from threading import enumerate as enumerate_threads

import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QPushButton,
    QSlider,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui import text
from gui.app import opened_window
from gui.banner import Banner
from gui.listen_page import ListenPage
from gui.main_window import MainWindow
from gui.settings import Settings, SettingsFile
from model.plan import SAMPLE_RATE_HZ
from presets.library import PresetLibrary
from realtime.ring import Samples
from realtime.sound_server import OWNER_PROPERTY, sound_server
from tests.pulse_server import PATIENCE_SECONDS, PulseServer

PATIENCE_MS = round(1000 * PATIENCE_SECONDS)
SMALLEST = (900, 560)  # logical pixels
PICTURE = Path(__file__).parent / "window.png"
VIRTUAL_MIC = "masksr_live_microphone"

OpenWindow = Callable[[], AbstractContextManager[MainWindow]]


@pytest.fixture
def pulse() -> Iterator[PulseServer]:
    with PulseServer() as server:
        yield server


@pytest.fixture
def settings_file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "settings.json")


@pytest.fixture
def open_window(
    qapp: QApplication, pulse: PulseServer, settings_file: SettingsFile, tmp_path: Path, tiny_preset: Path
) -> OpenWindow:
    """Opens the window as it was when it was last closed; the first time with a preset of random weights."""
    library = PresetLibrary(tmp_path / "presets")
    settings_file.save(Settings(preset=library.add(tiny_preset)))
    return lambda: opened_window(qapp, settings_file, library)


def wait_for(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=PATIENCE_MS)


def wait_for_sound(qtbot: QtBot, window: MainWindow) -> None:
    wait_for(qtbot, lambda: window.controller.status.state == "running")


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key) -> None:
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, key)


def ours_on_the_server() -> list[str]:
    with sound_server() as server:
        nodes = [*server.sink_list(), *server.source_list(), *server.sink_input_list()]
        return [node.name for node in nodes if OWNER_PROPERTY in node.proplist]


def loudest_hz(sound: Samples) -> int:
    """In the last second, so that a bin is one hertz."""
    return int(np.argmax(np.abs(np.fft.rfft(sound[-SAMPLE_RATE_HZ:]))))


def blurred(image: QImage) -> NDArray[np.float64]:
    """A tenth of the size and grey, 0 to 1: where things are, and not how each letter is drawn."""
    width, height = SMALLEST[0] // 10, SMALLEST[1] // 10
    small = image.scaled(width, height, transformMode=Qt.TransformationMode.SmoothTransformation)
    return np.array([[small.pixelColor(x, y).lightnessF() for x in range(width)] for y in range(height)])


def combo_box(window: QWidget, name: str) -> QComboBox:
    return next(each for each in window.findChildren(QComboBox) if each.accessibleName() == name)


def button(window: QWidget, name: str) -> QPushButton:
    return next(each for each in window.findChildren(QPushButton) if each.accessibleName() == name)


def test_the_first_start_works_without_a_choice_and_leaves_nothing_behind(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    threads = set(enumerate_threads())
    with open_window() as window:
        wait_for_sound(qtbot, window)
        assert window.controller.status.microphone == "Desk Microphone"
        assert VIRTUAL_MIC in ours_on_the_server()
        window.close()
    assert ours_on_the_server() == []
    assert active_children() == []
    assert set(enumerate_threads()) <= threads


def test_bypass_and_mute_are_one_key_away_and_remembered(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot
) -> None:
    with pulse.tone("room", 1000):
        with open_window() as window:
            wait_for_sound(qtbot, window)
            press(qtbot, window, Qt.Key.Key_F9)
            assert button(window, text.BYPASS).isChecked()
            wait_for(qtbot, lambda: loudest_hz(pulse.record(VIRTUAL_MIC, 2 * SAMPLE_RATE_HZ)) == 1000)
            window.resize(1000, 640)
            window.close()
        with open_window() as window:
            assert button(window, text.BYPASS).isChecked()
            assert (window.width(), window.height()) == (1000, 640)
            wait_for_sound(qtbot, window)
            press(qtbot, window, Qt.Key.Key_F10)
            wait_for(qtbot, lambda: not pulse.record(VIRTUAL_MIC, SAMPLE_RATE_HZ).any())
            window.close()


def test_holding_a_key_lets_the_dry_signal_be_heard(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        qtbot.keyPress(window, Qt.Key.Key_F8)
        assert window.controller.hears_dry
        qtbot.keyRelease(window, Qt.Key.Key_F8)
        assert not window.controller.hears_dry and not window.controller.settings.bypass
        window.close()


def test_an_engine_that_dies_comes_back_and_one_that_keeps_dying_can_be_restarted(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    with open_window() as window:
        restart = button(window, text.RESTART)

        def give_up() -> bool:
            for process in active_children():
                process.kill()
            return restart.isVisible()

        wait_for_sound(qtbot, window)
        active_children()[0].kill()
        wait_for(qtbot, lambda: window.controller.status.state == "recovering")
        assert window.controller.status.message
        wait_for_sound(qtbot, window)
        wait_for(qtbot, give_up)
        restart.click()
        wait_for_sound(qtbot, window)
        assert not restart.isVisible()
        window.close()


def test_a_preset_that_asks_too_much_is_told_and_sound_goes_on(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot, tiny_preset: Path, tmp_path: Path
) -> None:
    hasty = tmp_path / "hasty.toml"  # 64 passes every 23 ms
    preset = tiny_preset.read_text()
    hasty.write_text(preset.replace("hop_frames = 8", "hop_frames = 2").replace("Tiny", "Hasty"))
    with pulse.tone("room", 1000), open_window() as window:
        controller = window.controller
        effort = next(each for each in window.findChildren(QLabel) if each.accessibleName() == text.RUNG)
        controller.change_presets(lambda library: library.add(hasty))
        wait_for(qtbot, lambda: controller.preset is not None and controller.preset.hop_frames == 2)
        controller.choose_passes(64)
        wait_for(qtbot, lambda: "because the computer is" in effort.accessibleDescription())
        assert effort.text() in (text.RUNG_LESS, text.RUNG_NONE)
        heard = pulse.record(VIRTUAL_MIC, 2 * SAMPLE_RATE_HZ)[SAMPLE_RATE_HZ:]
        assert min(np.abs(part).max() for part in np.split(heard, 4)) > 0.0
        controller.choose_passes(1)
        wait_for(qtbot, lambda: effort.text() == text.RUNG_FULL)
        window.close()


def test_devices_come_and_go_and_bring_their_presets(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window, sound_server() as server:
        controller = window.controller
        usb = server.module_load("module-null-source", "source_name=usb_mic")
        picker = combo_box(window, "Microphone")
        wait_for(qtbot, lambda: picker.findData("usb_mic") >= 0)
        controller.choose_microphone("usb_mic")
        controller.choose_preset("studio")
        controller.choose_microphone("desk_mic")
        controller.choose_preset("call")
        controller.choose_microphone("usb_mic")
        assert controller.settings.preset == "studio"
        controller.change(preset_by_microphone={"desk_mic": "a preset that was deleted"})
        controller.choose_microphone("desk_mic")
        assert controller.settings.preset == "studio"
        controller.choose_microphone("usb_mic")
        server.module_unload(usb)
        wait_for(qtbot, lambda: picker.currentText() == text.NOT_CONNECTED.format(name="usb_mic"))
        window.close()


def test_listening_to_what_the_microphone_hears_is_refused(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        controller = window.controller
        wait_for(qtbot, lambda: bool(controller.devices))
        controller.choose_microphone("speakers.monitor")
        with qtbot.waitSignal(controller.failed) as refused:
            controller.choose_monitor("speakers")
        assert "would hear itself" in refused.args[0]
        assert controller.settings.monitor is None
        controller.choose_monitor("room")
        assert controller.settings.monitor == "room"
        window.close()


def test_the_last_seconds_are_taken_played_and_kept(
    open_window: OpenWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    with open_window() as window:
        tap = window.controller.tap
        assert tap is not None
        wait_for(qtbot, lambda: tap.written > SAMPLE_RATE_HZ)
        page = window.findChild(ListenPage)
        button(window, "Take last 10 s").click()
        button(window, "Play after").click()
        assert button(window, "Stop").isEnabled()
        button(window, "Stop").click()
        wait_for(qtbot, button(window, "Play after").isEnabled)
        page.save(tmp_path)
        wait_for(qtbot, lambda: len(list(tmp_path.glob("MaskSR Live */*.*"))) == 3)
        window.close()


def test_a_preset_is_kept_with_what_was_changed_about_it(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        controller, picker = window.controller, combo_box(window, "Preset")
        controller.choose_preset("call")
        controller.choose_passes(1)
        controller.save_preset("Kitchen")
        wait_for(qtbot, lambda: picker.currentText() == "Kitchen")
        assert controller.preset is not None and controller.preset.passes == 1
        controller.save_preset("Kitchen")
        problem = window.findChild(Banner)
        assert problem is not None
        wait_for(qtbot, problem.isVisible)
        kitchen = controller.settings.preset
        assert kitchen is not None
        controller.change_presets(lambda library: library.delete(kitchen))
        wait_for(qtbot, lambda: controller.settings.preset is None)
        assert picker.findText("Kitchen") < 0
        window.close()


def test_the_smallest_window_looks_as_it_should(open_window: OpenWindow) -> None:
    with open_window() as window:
        window.resize(*SMALLEST)
        QApplication.processEvents()
        assert (window.width(), window.height()) == SMALLEST
        seen = window.grab().toImage()
        window.close()
    if not PICTURE.exists():
        seen.save(str(PICTURE))
        pytest.fail(f"{PICTURE} was missing and has been made; look at it and run this again")
    assert np.abs(blurred(seen) - blurred(QImage(str(PICTURE)))).mean() < 0.01


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(open_window: OpenWindow) -> None:
    with open_window() as window:
        for control in window.findChildren((QAbstractButton, QComboBox, QSlider, QTabBar)):
            if control.isVisibleTo(window) and not control.objectName().startswith("qt_"):
                assert control.accessibleName() or getattr(control, "text", str)(), control
                assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.accessibleName()
        window.close()


def test_the_window_waits_for_no_heavy_package() -> None:
    heavy = {"matplotlib", "pulsectl", "scipy", "sounddevice", "torch"}
    code = f"import sys, gui.app; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
