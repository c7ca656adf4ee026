"""The menu beside the presets keeps, renames, deletes and passes on the one in use."""

from pathlib import Path

import pytest
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMessageBox, QSlider
from pytestqt.qtbot import QtBot

from gui import text
from gui.main_window import MainWindow
from gui.preset_menu import PresetMenu
from tests.desktop import OpenWindow, combo_box, wait_for

pytestmark = pytest.mark.live


def action(window: MainWindow, name: str) -> QAction:
    """As it is when the menu is open."""
    menu = window.findChild(PresetMenu).menu()
    assert menu is not None
    menu.aboutToShow.emit()
    return next(each for each in menu.actions() if each.text() == name)


def choose(window: MainWindow, name: str) -> QDialog:
    """The dialog that the action opens, which holds up nothing."""
    entry = action(window, name)
    assert entry.isEnabled()
    entry.trigger()
    dialog = next(each for each in window.findChildren(QDialog) if each.isVisible())
    assert isinstance(dialog, QDialog)
    return dialog


def answer(window: MainWindow, name: str, title: str) -> None:
    dialog = choose(window, name)
    assert isinstance(dialog, QInputDialog)
    dialog.setTextValue(title)
    dialog.accept()


def test_a_preset_is_kept_renamed_exported_deleted_and_added_again(
    open_window: OpenWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    exported = tmp_path / "bath.toml"
    with open_window() as window:
        picker = combo_box(window, "Preset")
        window.controller.choose_preset("call")
        answer(window, text.PRESET_SAVE, "Kitchen")
        wait_for(qtbot, lambda: picker.currentText() == "Kitchen")
        answer(window, text.PRESET_RENAME, "Bath")
        wait_for(qtbot, lambda: picker.currentText() == "Bath")
        dialog = choose(window, text.PRESET_EXPORT)
        assert isinstance(dialog, QFileDialog)
        dialog.fileSelected.emit(str(exported))
        dialog.reject()
        wait_for(qtbot, exported.exists)
        question = choose(window, text.PRESET_DELETE)
        assert isinstance(question, QMessageBox)
        question.accept()
        wait_for(qtbot, lambda: picker.findText("Bath") < 0)
        dialog = choose(window, text.PRESET_ADD)
        assert isinstance(dialog, QFileDialog)
        dialog.fileSelected.emit(str(exported))
        dialog.reject()
        wait_for(qtbot, lambda: picker.currentText() == "Bath")
        window.close()


def test_a_renamed_preset_stays_chosen_with_all_that_was_chosen_about_it(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    with open_window() as window:
        controller = window.controller
        picker, for_files = combo_box(window, "Preset"), combo_box(window, "Preset for files")
        tiny = controller.settings.preset
        for_files.setCurrentIndex(for_files.findData(tiny))
        controller.change(preset_by_microphone={"usb_mic": tiny, "desk_mic": tiny, "headset": "call"})
        controller.choose_passes(4)
        controller.choose_lookahead(16)
        answer(window, text.PRESET_RENAME, "Bath")
        wait_for(qtbot, lambda: picker.currentText() == for_files.currentText() == "Bath")
        described = {slider.accessibleDescription() for slider in window.findChildren(QSlider)}
        assert {"better · 4 passes", "longest · 186 ms ahead"} < described
        bath = controller.settings.preset
        remembered = controller.settings.preset_by_microphone
        assert remembered == {"usb_mic": bath, "desk_mic": bath, "headset": "call"}
        choose(window, text.PRESET_DELETE).accept()
        wait_for(qtbot, lambda: for_files.currentText() == "Studio")
        window.close()


@pytest.mark.parametrize("name", [text.PRESET_RENAME, text.PRESET_DELETE])
def test_presets_that_ship_stay_as_they_are(open_window: OpenWindow, name: str) -> None:
    with open_window() as window:
        window.controller.choose_preset("call")
        assert not action(window, name).isEnabled()
        window.close()
