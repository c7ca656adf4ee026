"""The window as users with a translation have it: prints as JSON what it says, by the state that it is in.

A program: `python -m tests.translated_window TRANSLATIONS FOLDER PRESET`. It settles the language when it
starts, after the command line has been imported and before the window is.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import main as command_line
from gui.language import choose_language

assert command_line and "gui.text" not in sys.modules
choose_language(Path(sys.argv[1]))

# ruff: noqa: E402
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QApplication, QComboBox, QDialog, QFileDialog, QMenu, QTabWidget, QWidget

from gui import text
from gui.app import make_application, opened_window
from gui.file_list import FileList
from gui.file_page import FilePage
from gui.main_window import MainWindow
from gui.settings import Settings, SettingsFile
from gui.tray import Tray
from presets.library import PresetLibrary
from tests.pulse_server import PATIENCE_SECONDS, PulseServer

SAYING = ("text", "title", "windowTitle", "toolTip", "accessibleName", "accessibleDescription")
ITEM_SAYING = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
DIALOGS = (text.PRESET_SAVE, text.PRESET_DELETE, text.PRESET_EXPORT, text.PRESET_ADD)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while not condition():
        assert monotonic() < deadline, "it did not happen"
        QApplication.processEvents()


def said(window: MainWindow) -> list[str]:
    """What can be read, pointed at or heard now, also in menus, but for what dialogs of files have inside."""
    QApplication.processEvents()  # what is new gets its place
    tray = window.findChild(Tray)
    menu: Any = tray.contextMenu()
    menus = [*window.findChildren(QMenu), menu, *menu.findChildren(QMenu)]
    seen = [each for each in QApplication.allWidgets() if each.isVisible()]
    widgets = [each for each in [*seen, *menus] if not _is_of_qt(each)]
    actions = [action for menu in widgets if isinstance(menu, QMenu) for action in menu.actions()]
    words = [str(each.property(name) or "") for each in [*widgets, *actions, tray] for name in SAYING]
    for widget in widgets:
        words += _items(widget)
    return words


def _items(widget: Any) -> list[str]:
    """What is not a property of the widget, but of something in it."""
    match widget:
        case QComboBox():
            rows = range(widget.count())
            return [str(widget.itemData(row, role) or "") for row in rows for role in ITEM_SAYING]
        case QTabWidget():
            return [widget.tabText(page) for page in range(widget.count())]
        case FileList():
            queue: Any = widget.model()
            rows = range(queue.rowCount())
            return [queue.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in rows]
        case pg.GraphicsView():
            items = widget.scene().items()
            axes = [item for item in items if isinstance(item, pg.AxisItem)]
            ticks = [label for axis in axes for level in axis._tickLevels or () for _, label in level]
            return ticks + [item.toPlainText() for item in items if isinstance(item, pg.TextItem)]
    return []


def _is_of_qt(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    return parent is not None and (isinstance(parent, QFileDialog) or _is_of_qt(parent))


def said_on_pages(window: MainWindow) -> list[str]:
    """The same with each page in turn, that of health once it has looked."""
    pages: Any = window.findChild(QTabWidget)
    words = []
    for page in range(pages.count()):
        pages.setCurrentIndex(page)
        words += said(window)
        wait_for(lambda: text.HEALTH_CHECKING not in said(window))
        words += said(window)
    return words


def states(
    window: MainWindow, pulse: PulseServer, unusable: str, damaged: Path
) -> Iterator[tuple[str, list[str]]]:
    controller, files = window.controller, window.findChild(FilePage)
    yield "loading", said(window)
    wait_for(lambda: controller.status.state == "running" and bool(controller.devices))
    yield "running", said_on_pages(window)
    controller.change(bypass=True)
    yield "bypassed", said(window)
    for action in [action for action in window.findChildren(QAction) if action.text() in DIALOGS]:
        action.trigger()
    yield "asking", said(window)
    for dialog in window.findChildren(QDialog):
        dialog.reject()
    files.add([damaged])
    wait_for(lambda: files.queue.ended == 1)
    controller.choose_monitor("speakers")
    controller.choose_microphone("speakers.monitor")
    yield "told of a mistake", said(window)
    controller.choose_preset(unusable)
    wait_for(lambda: controller.status.state == "dry")
    yield "unrestored", said_on_pages(window)
    pulse.kill()
    wait_for(lambda: controller.status.state == "recovering")
    yield "recovering", said_on_pages(window)


def main(folder: Path, preset: Path) -> None:
    application, library = make_application(), PresetLibrary(folder / "presets")
    settings_file = SettingsFile(folder / "settings.json")
    settings_file.save(Settings(preset=library.add(preset)))
    unusable, damaged = folder / "presets" / "Unusable.toml", folder / "damaged.wav"
    unusable.write_text(preset.read_text().replace("bundle = '", "bundle = '/gone"))
    damaged.write_bytes(b"no sound")
    with PulseServer() as pulse, opened_window(application, settings_file, library) as window:
        json.dump(dict(states(window, pulse, str(unusable), damaged)), sys.stdout)
        window.quit()


if __name__ == "__main__":
    main(*map(Path, sys.argv[2:]))
