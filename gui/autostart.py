"""Starting with the user's login, as each platform wants it."""

import plistlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from PyQt6.QtCore import QSettings, QStandardPaths

from gui import text
from gui.desktop_entry import FILE_NAME, desktop_entry
from model.errors import MaskSRError

LABEL = "masksr-live"
RUN_KEY = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run"


class AutostartError(MaskSRError):
    """Starting at login could not be switched on or off."""


class Autostart(Protocol):
    """Whether a command is started at login."""

    def is_on(self) -> bool: ...

    def switch(self, on: bool) -> None:
        """Raises AutostartError."""


class FileAutostart:
    """A file that starts the command by being there: XDG's and launchd's way."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path, self._content = path, content

    def is_on(self) -> bool:
        return self._path.exists()

    def switch(self, on: bool) -> None:
        try:
            if on:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_bytes(self._content)
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise AutostartError(text.AUTOSTART_FAILED.format(place=self._path, error=error)) from error


class RegistryAutostart:
    """A value of the Run key of the Windows registry."""

    def __init__(self, run_key: QSettings, command: Sequence[str]) -> None:
        self._run_key, self._command = run_key, command

    def is_on(self) -> bool:
        return self._run_key.contains(LABEL)

    def switch(self, on: bool) -> None:
        if on:
            self._run_key.setValue(LABEL, subprocess.list2cmdline(self._command))
        else:
            self._run_key.remove(LABEL)
        self._run_key.sync()
        if self._run_key.status() != QSettings.Status.NoError:
            problem = self._run_key.status().name
            raise AutostartError(text.AUTOSTART_FAILED.format(place=self._run_key.fileName(), error=problem))


def xdg_autostart(config_home: Path, command: Sequence[str]) -> FileAutostart:
    """By the Desktop Application Autostart Specification of freedesktop.org."""
    return FileAutostart(config_home / "autostart" / FILE_NAME, desktop_entry(command).encode())


def launchd_autostart(agents: Path, command: Sequence[str]) -> FileAutostart:
    """An agent that launchd runs when the user logs in."""
    job = {"Label": LABEL, "ProgramArguments": list(command), "RunAtLoad": True, "ProcessType": "Interactive"}
    return FileAutostart(agents / f"{LABEL}.plist", plistlib.dumps(job))


def system_autostart(command: Sequence[str]) -> Autostart:
    """The one of the system that this runs on."""
    if sys.platform == "win32":
        return RegistryAutostart(QSettings(RUN_KEY, QSettings.Format.NativeFormat), command)
    if sys.platform == "darwin":
        return launchd_autostart(Path.home() / "Library" / "LaunchAgents", command)
    config_home = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    return xdg_autostart(Path(config_home), command)
