"""Pictures the smallest window in a process of its own: how large Qt draws is settled before it starts."""

import sys
from pathlib import Path

from gui.app import make_application, opened_window
from gui.settings import SettingsFile
from presets.library import PresetLibrary
from tests.desktop import SMALLEST


def picture(settings: Path, presets: Path, target: Path) -> None:
    application = make_application()
    with opened_window(application, SettingsFile(settings), PresetLibrary(presets)) as window:
        window.resize(*SMALLEST)
        application.processEvents()
        window.grab().save(str(target))
        window.close()


if __name__ == "__main__":
    picture(*map(Path, sys.argv[1:]))
