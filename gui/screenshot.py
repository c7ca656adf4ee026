"""A picture of the window at work, without a screen."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from PyQt6.QtCore import QTimer

from gui.app import make_application, opened_window
from gui.settings import Settings, SettingsFile, ThemeChoice
from presets.library import PresetLibrary

SIZE = (1280, 800)  # logical pixels
LOOK_MS = 100
FILL_MS = 10_500  # of restored sound, for full spectrograms


def take_screenshot(target: Path, theme: ThemeChoice) -> None:
    """Write a picture of a first start that restores the default microphone."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = make_application()
    with TemporaryDirectory() as folder:
        settings_file = SettingsFile(Path(folder) / "settings.json")
        settings_file.save(Settings(theme=theme))
        with opened_window(application, settings_file, PresetLibrary(Path(folder))) as window:
            window.resize(*SIZE)

            def wait_for_engine() -> None:
                if window.controller.status.state == "running":
                    looking.stop()
                    QTimer.singleShot(FILL_MS, take)

            def take() -> None:
                window.grab().save(str(target), "PNG")
                window.close()

            looking = QTimer(window)
            looking.timeout.connect(wait_for_engine)
            looking.start(LOOK_MS)
            application.exec()
