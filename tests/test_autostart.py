"""Each platform's way of starting at login: on, off, and a clear word where it cannot be done."""

import plistlib
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings

from gui.autostart import (
    Autostart,
    AutostartError,
    RegistryAutostart,
    launchd_autostart,
    xdg_autostart,
)

COMMAND = ["/opt/masksr live/python", "main.py"]


def registry(path: Path) -> QSettings:
    """A file where Windows has its registry."""
    return QSettings(str(path), QSettings.Format.IniFormat)


@pytest.fixture(params=["xdg", "launchd", "registry"])
def autostart(request: pytest.FixtureRequest, tmp_path: Path) -> Autostart:
    if request.param == "xdg":
        return xdg_autostart(tmp_path / "config", COMMAND)
    if request.param == "launchd":
        return launchd_autostart(tmp_path / "LaunchAgents", COMMAND)
    return RegistryAutostart(registry(tmp_path / "run.ini"), COMMAND)


def test_it_goes_on_and_off_however_often(autostart: Autostart) -> None:
    assert not autostart.is_on()
    for on in (False, True, True, False, False, True):
        autostart.switch(on)
        assert autostart.is_on() == on


def test_xdg_gets_a_desktop_file(tmp_path: Path) -> None:
    xdg_autostart(tmp_path, COMMAND).switch(True)
    entry = (tmp_path / "autostart" / "masksr-live.desktop").read_text(encoding="utf-8")
    assert 'Exec="/opt/masksr live/python" main.py\n' in entry


def test_launchd_gets_an_agent_that_runs_at_login(tmp_path: Path) -> None:
    launchd_autostart(tmp_path, COMMAND).switch(True)
    job = plistlib.loads((tmp_path / "masksr-live.plist").read_bytes())
    assert job["ProgramArguments"] == COMMAND and job["RunAtLoad"] is True


def test_windows_gets_one_command_line(tmp_path: Path) -> None:
    RegistryAutostart(registry(tmp_path / "run.ini"), COMMAND).switch(True)
    assert registry(tmp_path / "run.ini").value("masksr-live") == '"/opt/masksr live/python" main.py'


@pytest.mark.parametrize("kind", ["xdg", "registry"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, kind: str) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("here already")
    autostart: Autostart = xdg_autostart(in_the_way, COMMAND)
    if kind == "registry":
        autostart = RegistryAutostart(registry(in_the_way / "run.ini"), COMMAND)
    with pytest.raises(AutostartError, match="file"):
        autostart.switch(True)
