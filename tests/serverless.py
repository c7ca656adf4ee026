"""The window's model on a machine without a sound server, as those with macOS and Windows are.

A program: `python -m tests.serverless SETTINGS PRESETS`. PortAudio lists what ALSA is configured to have, and
Qt tells of events. Prints, line by line, which devices there are and which microphone the engine hears.
"""

import sys
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QCoreApplication

from gui.controller import Controller
from gui.settings import SettingsFile
from presets.library import PresetLibrary
from realtime.device_watcher import DeviceWatcher

sys.modules["realtime.pulse"] = None  # type: ignore[assignment]  # also in the engine's processes
DeviceWatcher.is_told = False


def report(controller: Controller) -> None:
    names = [device.name for device in controller.devices]
    sys.stdout.write(f"{' '.join(names)}; hears {controller.status.microphone}\n")
    sys.stdout.flush()


def main(settings: Path, presets: Path) -> None:
    application = QCoreApplication([])
    with Controller(SettingsFile(settings), PresetLibrary(presets)) as controller:
        for event in (controller.devices_changed, controller.status_changed):
            event.connect(partial(report, controller))
        application.exec()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
