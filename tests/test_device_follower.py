"""A session without a window follows devices that come and go also where no sound server tells of them."""

import json
import signal
import sys
from pathlib import Path
from subprocess import Popen
from time import sleep
from typing import Any

import pytest

from realtime.device_follower import LOOK_SECONDS
from tests.pulse_server import PulseServer, last_line, running, wait_until
from tests.serverless_machine import Serverless
from tests.test_device_pair import connections, places

pytestmark = pytest.mark.live

PROGRAM = [sys.executable, "-m", "tests.serverless_live", "--output", "phones", "--json"]


@pytest.fixture
def machine(pulse: PulseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serverless:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Serverless(tmp_path, monkeypatch)


def hears(log: Path, microphone: str | None) -> bool:
    line = last_line(log)
    return bool(line) and json.loads(line)["microphone"] == microphone


def end(session: "Popen[Any]") -> None:
    session.send_signal(signal.SIGTERM)
    assert session.wait() == 0


def test_a_microphone_that_is_unplugged_is_awaited_and_heard_again(
    machine: Serverless, pulse: PulseServer, tiny_preset: Path, tmp_path: Path
) -> None:
    machine.plug(usb="desk_mic", phones="speakers")
    log = tmp_path / "log"
    command = [*PROGRAM, "--input", "usb", "--preset", str(tiny_preset)]
    with log.open("w") as out, running(command, stdout=out) as session:
        wait_until(lambda: hears(log, "usb"))
        machine.plug(phones="speakers")
        wait_until(lambda: hears(log, None) and places() == (set(), {"speakers"}))
        machine.plug(usb="desk_mic", phones="speakers")
        wait_until(lambda: hears(log, "usb"))
        wait_until(lambda: places() == ({"desk_mic"}, {"speakers"}))
        before = connections()
        machine.plug(other="desk_mic", usb="desk_mic", phones="speakers")
        sleep(2 * LOOK_SECONDS)
        assert connections() == before  # who is heard is not disturbed by other devices
        end(session)
