"""Starts the window and ends it in order."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import QApplication

from gui import text
from gui.controller import Controller
from gui.icon import icon
from gui.language import translate_qt
from gui.main_window import MainWindow
from gui.settings import APP_FOLDER, SettingsFile, presets_path, settings_path
from gui.single_instance import SingleInstance, instance_name
from gui.theme import Theme
from presets.library import PresetLibrary
from realtime.processes import ending_signals


def run() -> int:
    """Show the window until it is closed; return the exit code."""
    application = make_application()
    with SingleInstance(instance_name()) as instance:
        if not instance.is_first:
            return 0
        library = PresetLibrary(presets_path())
        with opened_window(application, SettingsFile(settings_path()), library) as window:
            instance.raise_wanted.connect(window.raise_up)
            window.closed.connect(instance.leave)
            window.closed.connect(application.quit)
            for interruption in ending_signals():
                signal.signal(interruption, lambda number, frame: window.quit())
            return application.exec()


def make_application() -> QApplication:
    """What Qt needs first."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName(text.APP)
    translate_qt(application)
    application.setDesktopFileName(APP_FOLDER)
    application.setWindowIcon(icon())
    sys.excepthook = _outlive_error
    return application


@contextmanager
def opened_window(
    application: QApplication, settings_file: SettingsFile, library: PresetLibrary
) -> Iterator[MainWindow]:
    """Yields the window, shown, while the engine runs."""
    with Controller(settings_file, library) as controller:  # the engine starts while the window is made
        theme = Theme(application, controller.settings.theme)
        window = MainWindow(controller, theme)
        window.show()
        yield window
    for each in (window, theme):
        each.deleteLater()
    # At once, since a later theme would dress them again.
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _outlive_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell stderr what went wrong. Without a hook of one's own Qt ends the program, and with it the sound."""
    sys.__excepthook__(kind, error, trace)
