"""The window as its users meet it, with the real engine on a real sound server."""

import gc
import os
import subprocess
import sys
from collections import Counter
from multiprocessing import resource_tracker
from pathlib import Path
from threading import enumerate as enumerate_threads
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile
from numpy.typing import NDArray
from PyQt6 import sip
from PyQt6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PyQt6.QtGui import QDropEvent, QImage, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QFileDialog,
    QKeySequenceEdit,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QSlider,
    QTabBar,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui import text
from gui.file_page import FilePage
from gui.main_window import MainWindow
from gui.palette import LIGHT, current_palette
from gui.settings import SettingsFile
from model.plan import SAMPLE_RATE_HZ
from realtime.sound_server import OWNER_PROPERTY, sound_server
from tests.desktop import (
    SMALLEST,
    VIRTUAL_MIC,
    OpenWindow,
    action,
    button,
    combo_box,
    loudest_hz,
    press,
    wait_for,
    wait_for_sound,
)
from tests.pulse_server import PulseServer
from tests.signals import noise

pytestmark = pytest.mark.live

PAGES = ("live", "listen", "files", "health", "settings")
ALIKE = 0.01
PICTURES = Path(__file__).parent / "pictures"
CONTROLS = (QAbstractButton, QAbstractItemView, QComboBox, QKeySequenceEdit, QSlider, QTabBar)
MOST_TABS = 60  # presses of the key that lead once round the window


def ours_on_the_server() -> list[str]:
    with sound_server() as server:
        nodes = [*server.sink_list(), *server.source_list(), *server.sink_input_list()]
        return [node.name for node in nodes if OWNER_PROPERTY in node.proplist]


def modules() -> list[str]:
    with sound_server() as server:
        return sorted(module.name for module in server.module_list())


def running_timers() -> int:
    objects = [each for each in gc.get_objects() if issubclass(type(each), QTimer)]
    return sum(timer.isActive() for timer in objects if not sip.isdeleted(timer))


def lasting_things() -> tuple[list[str], set[str], int, set[int]]:
    """Modules of the sound server, threads, running timers and processes."""
    processes = {child.pid for child in psutil.Process().children(recursive=True)}
    return modules(), {thread.name for thread in enumerate_threads()}, running_timers(), processes


def blurred(image: QImage) -> NDArray[np.float64]:
    """A tenth of the size and grey, 0 to 1: where things are, and not how each letter is drawn."""
    width, height = SMALLEST[0] // 10, SMALLEST[1] // 10
    small = image.scaled(width, height, transformMode=Qt.TransformationMode.SmoothTransformation)
    return np.array([[small.pixelColor(x, y).lightnessF() for x in range(width)] for y in range(height)])


def difference(seen: QImage, picture: Path) -> float:
    """0 for the same, 1 for black against white. Makes a picture that is missing."""
    if picture.exists():
        return float(np.abs(blurred(seen) - blurred(QImage(str(picture)))).mean())
    seen.save(str(picture))
    return 1.0


def cut_off(window: MainWindow) -> list[str]:
    """The words for which there is not enough room, other than captions, which may be cut off."""
    named: list[Any] = [*window.findChildren(QLabel), *window.findChildren(QAbstractButton)]
    return [
        each.text()
        for each in named
        if each.isVisibleTo(window)
        and each.sizePolicy().horizontalPolicy() != QSizePolicy.Policy.Ignored
        and not (each.property("wordWrap") or each.objectName().startswith("qt_"))
        and each.width() < each.minimumSizeHint().width()
    ]


def controls(window: MainWindow) -> list[QWidget]:
    """Those that can be used now."""
    found = [each for kind in CONTROLS for each in window.findChildren(kind)]
    return [
        control
        for control in found
        if control.isVisibleTo(window) and control.isEnabled() and not control.objectName().startswith("qt_")
    ]


def show_page(window: MainWindow, page: int) -> None:
    tabs = window.findChild(QTabWidget)
    assert tabs is not None
    tabs.setCurrentIndex(page)
    QApplication.processEvents()


def test_the_first_start_works_without_a_choice_and_leaves_nothing_behind(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    resource_tracker.ensure_running()  # one for all tests
    before = lasting_things()
    with open_window() as window:
        progress = window.findChild(QProgressBar)
        assert progress is not None and progress.isVisible()
        wait_for_sound(qtbot, window)
        assert not progress.isVisible()
        assert window.controller.status.microphone == "Desk Microphone"
        assert VIRTUAL_MIC in ours_on_the_server()
        for page in range(len(PAGES)):
            show_page(window, page)
        window.close()
    assert ours_on_the_server() == []
    assert lasting_things() == before
    assert not any(isinstance(each, MainWindow) for each in QApplication.topLevelWidgets())


def test_bypass_and_mute_are_one_key_away(open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot) -> None:
    with pulse.tone("room", 1000), open_window() as window:
        wait_for_sound(qtbot, window)
        press(qtbot, window, Qt.Key.Key_F9)
        assert button(window, text.BYPASS).isChecked()
        wait_for(qtbot, lambda: loudest_hz(pulse.record(VIRTUAL_MIC, 2 * SAMPLE_RATE_HZ)) == 1000)
        press(qtbot, window, Qt.Key.Key_F10)
        wait_for(qtbot, lambda: not pulse.record(VIRTUAL_MIC, SAMPLE_RATE_HZ).any())
        window.close()


def dropped(path: Path) -> QDropEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(5, 5), copy, data, button, Qt.KeyboardModifier.NoModifier)
    event.data = data  # type: ignore[attr-defined]  # lives as long
    return event


def test_it_opens_as_it_was_closed(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        wait_for(qtbot, lambda: combo_box(window, "Microphone").findData("desk_mic") >= 0)
        controller = window.controller
        controller.choose_microphone("desk_mic")
        controller.choose_monitor("speakers")
        controller.choose_preset("call")
        controller.choose_passes(4)
        controller.choose_lookahead(16)
        controller.change(dry_wet=0.5, bypass=True, mute=True)
        themes = combo_box(window, "Colours")
        themes.setCurrentIndex(themes.findData("light"))
        themes.activated.emit(themes.currentIndex())
        show_page(window, 2)
        window.resize(1000, 640)
        window.close()
    with open_window() as window:
        wait_for(qtbot, lambda: combo_box(window, "Microphone").findData("desk_mic") >= 0)
        chosen = {
            name: combo_box(window, name).currentData() for name in ("Microphone", "Listen on", "Preset")
        }
        assert chosen == {"Microphone": "desk_mic", "Listen on": "speakers", "Preset": "call"}
        described = {slider.accessibleDescription() for slider in window.findChildren(QSlider)}
        assert described == {"better · 4 passes", "longest · 186 ms ahead", "50 % restored"}
        assert button(window, text.BYPASS).isChecked() and button(window, text.MUTE).isChecked()
        assert window.findChild(QTabWidget).currentIndex() == 2
        assert current_palette() is LIGHT
        assert (window.width(), window.height()) == (1000, 640)
        window.close()


def test_recordings_are_restored_from_the_menu_and_from_anywhere_on_the_window(
    open_window: OpenWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    recording = tmp_path / "voice.wav"
    soundfile.write(recording, noise(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    with open_window() as window:
        page, tabs = window.findChild(FilePage), window.findChild(QTabWidget)
        action(window, text.RESTORE_FILES).trigger()
        dialog = page.findChild(QFileDialog)
        assert tabs.currentWidget() is page and dialog.isVisible()
        dialog.filesSelected.emit([str(recording)])
        dialog.reject()
        wait_for(qtbot, lambda: page.queue.ended == 1)
        show_page(window, 0)
        window.dropEvent(dropped(recording))
        assert tabs.currentWidget() is page
        wait_for(qtbot, lambda: page.queue.ended == 2)
        window.close()
    assert len(list(tmp_path.glob("voice restored*.wav"))) == 2


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_smallest_window_looks_as_it_should(
    open_window: OpenWindow, settings_file: SettingsFile, qtbot: QtBot, theme: str
) -> None:
    settings_file.save(settings_file.load()[0].model_copy(update={"theme": theme}))
    seen = {}
    with open_window() as window:
        window.resize(*SMALLEST)
        for page, name in enumerate(PAGES):
            show_page(window, page)
            wait_for(qtbot, lambda: not cut_off(window))  # after figures changed, layouts follow
            seen[name] = window.grab().toImage()
            wait_for_sound(qtbot, window)  # not sooner: the first page then shows random sound
        assert (window.width(), window.height()) == SMALLEST
        window.close()
    del seen["health"]  # tells of the machine
    differences = {name: difference(image, PICTURES / f"{name}_{theme}.png") for name, image in seen.items()}
    assert max(differences.values()) < ALIKE, f"look at {PICTURES}: {differences}"


@pytest.mark.parametrize("scale", ["1.25", "1.5", "2"])
def test_it_looks_the_same_at_every_scale(
    open_window: OpenWindow, settings_file: SettingsFile, tmp_path: Path, scale: str
) -> None:
    settings_file.save(settings_file.load()[0].model_copy(update={"theme": "dark"}))
    places = (tmp_path / "settings.json", tmp_path / "presets", tmp_path / "seen.png")
    subprocess.run(
        [sys.executable, "-m", "tests.scaled_window", *places],
        env=os.environ | {"QT_SCALE_FACTOR": scale},
        check=True,
    )
    seen = QImage(str(places[-1]))
    assert (seen.width(), seen.height()) == tuple(round(float(scale) * side) for side in SMALLEST)
    assert difference(seen, PICTURES / "live_dark.png") < ALIKE


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    with open_window() as window:
        wait_for_sound(qtbot, window)
        for page in range(len(PAGES)):
            show_page(window, page)
            with qtbot.waitActive(window):
                window.activateWindow()
            reached: set[QWidget | None] = set()
            for _ in range(MOST_TABS):
                qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
                reached.add(QApplication.focusWidget())
            for control in controls(window):
                name = control.accessibleName() or getattr(control, "text", str)()
                assert name and "&" not in control.accessibleName(), control
                assert (control.focusProxy() or control) in reached, name
        window.close()


def alt_keys(window: MainWindow) -> list[str]:
    """Of all that can be seen now."""
    labels = [each for each in window.findChildren(QLabel) if each.buddy() is not None]
    named: list[Any] = [*labels, *window.findChildren(QAbstractButton)]
    menus: Any = window.menuBar()
    words = [
        each.text() for each in [*filter(lambda each: each.isVisibleTo(window), named), *menus.actions()]
    ]
    return [key for each in words if (key := QKeySequence.mnemonic(each).toString())]


def test_no_alt_key_leads_to_two_things(open_window: OpenWindow) -> None:
    with open_window() as window:
        window.controller.use_virtual_mic(False)  # whose place the output takes
        for page, name in enumerate(PAGES):
            show_page(window, page)
            keys = Counter(alt_keys(window))
            assert keys["Alt+O"] and [key for key, times in keys.items() if times > 1] == [], name
        window.close()


def test_the_window_waits_for_no_heavy_package() -> None:
    heavy = {"matplotlib", "pulsectl", "scipy", "sounddevice", "torch"}
    code = f"import sys, gui.app; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
