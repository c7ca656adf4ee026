"""A real PulseAudio for tests: nothing of the machine's own sound is heard or touched."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self
from unittest import mock

import numpy as np
import pytest

from realtime.ring import Samples
from realtime.sound_server import SoundServerError, sound_server

PATIENCE_SECONDS = 240.0  # for what takes a moment on an idle machine
ATTEMPTS = 3
FORMAT = ("--raw", "--format=float32le", "--rate=44100", "--channels=1")

# What a desktop has: speakers, and a microphone, which hears what is played into the room.
DESK_MIC = "source_name=desk_mic master=room.monitor"
DESKTOP = (
    "module-null-sink sink_name=speakers norewinds=1 sink_properties=device.description=Speakers",
    "module-null-sink sink_name=room rate=48000 norewinds=1 sink_properties=device.description=Room",
    f"module-remap-source {DESK_MIC}"
    """ source_properties="device.description='Desk Microphone'" """,
)
DAEMON = (
    *("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"),
    *("--realtime=yes", "--high-priority=yes", "--log-level=error"),
)


def wait_until(condition: Callable[[], bool]) -> None:
    """Fails when `condition` does not come true."""
    deadline = monotonic() + PATIENCE_SECONDS
    while not condition():
        assert monotonic() < deadline, "it did not happen"
        sleep(0.02)


def at_best(check: Callable[[], None]) -> None:
    """Fails when `check` does, again and again.

    Once does not tell: other programs of a busy machine may have taken the time that sound needs. What this
    program does wrong by itself, it does every time.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(AssertionError):
            return check()
    return check()


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """A program that is killed, if it still runs, when the context ends."""
    with subprocess.Popen(command, **options) as program:
        try:
            yield program
        finally:
            program.kill()


def last_line(log: Path) -> str:
    """The last of the lines that a program has written to the end: half of one may be there already."""
    whole = log.read_text().split("\n")[:-1]
    return whole[-1] if whole else ""


class PulseServer:
    """A daemon of its own while the context is open; this process and those it starts connect to it.

    Its defaults are sink `speakers` and source `desk_mic`. Skips the test where PulseAudio is missing.
    """

    def __init__(self, *more_modules: str) -> None:
        self._modules = (*DESKTOP, *more_modules)

    def __enter__(self) -> Self:
        self._skip_where_missing()
        self._folder = TemporaryDirectory(prefix="pulse-")  # a short path: those of sockets are limited
        folder = self._folder.name
        address = {"PULSE_SERVER": f"unix:{folder}/native", "PULSE_COOKIE": f"{folder}/cookie"}
        self._environment = mock.patch.dict(os.environ, address)
        self._environment.start()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._environment.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Start the daemon, again after `kill`."""
        folder = self._folder.name
        socket = f"module-native-protocol-unix auth-anonymous=1 auth-cookie-enabled=0 socket={folder}/native"
        own = dict.fromkeys(("HOME", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"), folder)
        self.process = subprocess.Popen(
            [*DAEMON, *(f"--load={module}" for module in (socket, *self._modules))],
            env=os.environ | own | {"DBUS_SESSION_BUS_ADDRESS": "disabled:"},
        )
        wait_until(self._answers)

    def kill(self) -> None:
        """End the daemon at once, with all it has."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Have the daemon do nothing until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the daemon run again."""
        self.process.send_signal(signal.SIGCONT)

    def _skip_where_missing(self) -> None:
        if shutil.which("pulseaudio") is None:
            pytest.skip("PulseAudio is not installed")

    def _answers(self) -> bool:
        assert self.process.poll() is None, "PulseAudio ended"
        try:
            with sound_server() as server:
                return bool(server.get_source_by_name("desk_mic"))
        except SoundServerError:
            return False

    def make_default(self, source: str, sink: str) -> None:
        """Make these the system's defaults, as users do in the settings of their desktop."""
        with sound_server() as server:
            server.source_default_set(source)
            server.sink_default_set(sink)

    @contextmanager
    def tone(self, sink: str, hz: int) -> Iterator[None]:
        """Plays a tone into `sink` while the context is open."""
        with sound_server() as server:
            module = server.module_load("module-sine", f"sink={sink} frequency={hz}")
            yield
            server.module_unload(module)

    def record(self, source: str, samples: int) -> Samples:
        """What `source` hears from now on, float32 at 44.1 kHz."""
        command = ["parec", f"--device={source}", "--latency-msec=50", *FORMAT]
        with running(command, stdout=subprocess.PIPE) as recorder:
            assert recorder.stdout is not None
            return np.frombuffer(recorder.stdout.read(4 * samples), np.float32)


def load(module: str, arguments: str) -> None:
    with sound_server() as server:
        server.module_load(module, arguments)


def remove(name: str) -> None:
    """Take a source or sink away, as unplugging does."""
    with sound_server() as server:
        devices = [*server.source_list(), *server.sink_list()]
        server.module_unload(next(device.owner_module for device in devices if device.name == name))
