"""A booth is gone after its program, also when that was killed, and bothers nobody else's devices."""

import subprocess
import sys
from pathlib import Path

import pytest

from realtime.booth import Booth
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings
from realtime.sound_server import SoundServerError
from tests.models import load_refused
from tests.pulse_server import PulseServer, load, running, wait_until
from tests.signals import tone
from tests.test_virtual_mic import modules

pytestmark = pytest.mark.live

REPOSITORY = Path(__file__).parents[1]
HELD_OPEN = """
from realtime.booth import Booth
with Booth():
    print("open", flush=True)
    input()
"""


@pytest.fixture
def killed_booth(pulse: PulseServer) -> list[tuple[int, str, str]]:
    """What was on the server before a program was killed that had a booth."""
    load("module-null-sink", "sink_name=masksr_booth_1")  # somebody else's
    before = modules()
    command = [sys.executable, "-c", HELD_OPEN]
    with running(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline()
    assert len(modules()) > len(before)
    return before


def test_the_next_booth_removes_what_a_killed_program_left(killed_booth: list[tuple[int, str, str]]) -> None:
    with Booth():
        pass
    assert modules() == killed_booth


def test_a_live_session_removes_what_a_killed_program_left_and_no_booth_that_is_open(
    killed_booth: list[tuple[int, str, str]],
) -> None:
    with LiveEngine(EngineSettings("desk_mic", "speakers"), load_refused):
        wait_until(lambda: modules() == killed_booth)
    with Booth():
        opened = modules()
        with LiveEngine(EngineSettings("desk_mic", "speakers"), load_refused) as engine:
            wait_until(lambda: engine.status.microphone is not None)
            assert modules() == opened
    assert modules() == killed_booth


def test_a_sound_server_that_goes_away_is_not_waited_for(
    pulse: PulseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.booth.PATIENCE_SECONDS", 0.0)
    with Booth() as booth:
        pulse.kill()
        with pytest.raises(SoundServerError, match="measure again"):
            booth.say(tone(22_050), 0.5)
