"""A live session without a window: it records, tells how it is doing and ends when it is asked to."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.headless import status_line
from realtime.messages import EngineStatus
from realtime.mixer import BLOCK_FRAMES, Mix
from realtime.session_file import SessionFile, read_session
from realtime.signal_tap import SignalTap
from tests.pulse_server import PulseServer, running, wait_until
from tests.test_device_pair import places

pytestmark = pytest.mark.live

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseServer]:
    (tmp_path / "runtime").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    with PulseServer() as server:
        yield server


def command(*arguments: object) -> list[str]:
    return [sys.executable, "main.py", *map(str, arguments)]


def status() -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command("status", "--json"), cwd=REPOSITORY, capture_output=True, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_session_tells_records_and_ends_when_asked(
    number: signal.Signals, pulse: PulseServer, tiny_preset: Path, tmp_path: Path
) -> None:
    outputs = "--virtual-mic", "--monitor", "speakers", "--record", tmp_path / "kept"
    live = command("live", "--input", "desk", *outputs, "--preset", tiny_preset, "--json")
    assert json.loads(status().stdout) == {"state": "stopped"}
    with (
        pulse.tone("room", 1000),
        running(
            ["env", "--default-signal=HUP", *live],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as session,
    ):
        assert session.stdout is not None
        seen = [json.loads(session.stdout.readline())]
        while seen[-1]["state"] != "running" or seen[-1]["report"]["seconds"] < 2.0:
            seen.append(json.loads(session.stdout.readline()))
        told, heard_and_played = status(), places()
        ask = os.kill if number == signal.SIGTERM else os.killpg  # as a terminal does
        ask(session.pid, number)
        rest, _ = session.communicate()
    assert session.returncode == 0
    assert json.loads(rest.splitlines()[-1])["microphone"] == "Desk Microphone"
    assert heard_and_played == ({"desk_mic"}, {"masksr_live", "speakers"})
    assert (told.returncode, json.loads(told.stdout)["process"]) == (0, session.pid)
    assert status().returncode == 1
    dry, restored = (soundfile.read(path)[0] for path in sorted((tmp_path / "kept").iterdir()))
    assert len(dry) == len(restored) > 44_100
    assert np.abs(dry).max() > 0.1


def test_a_recording_that_finds_no_more_space_is_told_and_sound_goes_on(
    pulse: PulseServer, tiny_preset: Path, tmp_path: Path
) -> None:
    live = command("live", "--input", "desk", "--record", tmp_path, "--preset", tiny_preset, "--json")
    with (
        pulse.tone("room", 1000),
        running(live, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as session,
    ):
        assert session.stdout is not None
        line = json.loads(session.stdout.readline())
        while line["state"] != "running":
            line = json.loads(session.stdout.readline())
        subprocess.run(["prlimit", "--fsize=1000", "--pid", str(session.pid)], check=True)
        while line["message"] is None or "be recorded" not in line["message"]:
            line = json.loads(session.stdout.readline())
        later = json.loads(session.stdout.readline())
        session.send_signal(signal.SIGINT)
        session.communicate()
    assert session.returncode == 0
    assert line["message"].endswith("check the place and its space.")
    assert later["report"]["seconds"] > line["report"]["seconds"]


def test_a_place_where_nothing_can_be_recorded_is_refused(pulse: PulseServer, tiny_preset: Path) -> None:
    wrong = command("live", "--input", "desk", "--record", __file__, "--preset", tiny_preset)
    finished = subprocess.run(wrong, cwd=REPOSITORY, capture_output=True, text=True)
    assert finished.returncode == 1
    assert "Nothing can be recorded in" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_wrong_name_ends_with_one_sentence(pulse: PulseServer, tiny_preset: Path) -> None:
    wrong = command("live", "--input", "banjo", "--preset", tiny_preset)
    finished = subprocess.run(wrong, cwd=REPOSITORY, capture_output=True, text=True)
    assert finished.returncode == 1
    assert finished.stderr.startswith("main.py: 'banjo' is not among the input devices; choose one of:")


def test_the_line_shows_levels_and_what_is_wrong() -> None:
    tap = SignalTap()
    loud = np.full(BLOCK_FRAMES, 0.5, np.float32)
    for _ in range(20):
        tap.write(Mix(loud, np.zeros_like(loud), loud))
    line = status_line(EngineStatus("recovering", message="Plug it in."), tap)
    assert line == "recovering  in ###########-  -6 dB  out ------------ -90 dB  Plug it in."


def test_what_a_session_that_was_killed_left_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "session.json"
    with SessionFile(path) as session:
        session.put(EngineStatus("running", preset="cpu"))
        told = read_session(path)
        assert told is not None
        assert (told["state"], told["preset"], told["process"]) == ("running", "cpu", os.getpid())
        monkeypatch.setattr("time.time", lambda: told["at"] + 60.0)
        assert read_session(path) is None
    wait_until(lambda: not path.exists())


def test_a_status_that_cannot_be_told_is_left_untold(tmp_path: Path) -> None:
    with SessionFile(tmp_path / "runtime" / "session.json") as session:
        session.path.parent.rmdir()
        session.put(EngineStatus("running"))
        session.path.parent.mkdir()
        session.put(EngineStatus("running"))
        assert read_session(session.path) is not None
