"""A real PipeWire for tests, beside PulseAudio's: nothing of the machine's own sound is heard or touched."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket

import numpy as np
import pytest

from realtime.sound_server import sound_server
from tests.pulse_server import FORMAT, PulseServer, load, running, wait_until
from tests.signals import tone

DAEMONS = ("pipewire", "wireplumber", "pipewire-pulse")
TONE_SECONDS = 60

# The session manager leaves the machine's own devices alone, and asks no session bus.
SETTINGS = {
    "main.lua.d": """
        alsa_monitor.enabled = false
        v4l2_monitor.enabled = false
        libcamera_monitor.enabled = false
        default_access.properties["enable-flatpak-portal"] = false
    """,
    "bluetooth.lua.d": "bluez_monitor.enabled = false",
}


class PipeWireServer(PulseServer):
    """PipeWire, its session manager and its server for the programs of PulseAudio; a PulseServer otherwise.

    Skips the test where one of them is missing, or the session manager is not set up by scripts.
    """

    def start(self) -> None:
        """Start the daemons, again after `kill`."""
        folder = Path(self._folder.name)
        for name, settings in SETTINGS.items():
            (folder / "wireplumber" / name).mkdir(parents=True, exist_ok=True)
            (folder / "wireplumber" / name / "51-tests.lua").write_text(settings)
        self._daemons = [_start("pipewire", folder)]
        wait_until(lambda: _accepts(folder / "pipewire-0"))
        self._daemons += [_start(name, folder) for name in DAEMONS[1:]]
        wait_until(lambda: _accepts(folder / "native"))
        for module in self._modules:
            load(*module.split(" ", 1))
        wait_until(self._has_defaults)

    def kill(self) -> None:
        """End the daemons at once, with all they have."""
        for daemon in self._daemons:
            daemon.kill()
            daemon.wait()

    @contextmanager
    def tone(self, sink: str, hz: int) -> Iterator[None]:
        """Plays a tone into `sink` while the context is open, for a minute at most."""
        path = Path(self._folder.name, "tone.raw")
        np.tile(tone(44_100, hz=hz), TONE_SECONDS).tofile(path)
        with running(["pacat", f"--device={sink}", *FORMAT, str(path)]):
            yield

    def _skip_where_missing(self) -> None:
        if not all(map(shutil.which, DAEMONS)):
            pytest.skip(f"{', '.join(DAEMONS)} are not all installed")
        if not Path("/usr/share/wireplumber/main.lua.d").exists():
            pytest.skip("WirePlumber is not of version 0.4")

    @staticmethod
    def _has_defaults() -> bool:
        """Whether the session manager is at work, without which nothing is connected."""
        with sound_server() as server:
            return not server.server_info().default_sink_name.startswith("@")


def _start(name: str, folder: Path) -> "subprocess.Popen[bytes]":
    folders = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_RUNTIME_PATH"), str(folder))
    environment = os.environ | folders | {"DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    return subprocess.Popen([name], env=environment, stderr=subprocess.DEVNULL)  # complains of the bus


def _accepts(path: Path) -> bool:
    with socket(AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
