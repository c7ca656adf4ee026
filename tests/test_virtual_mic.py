"""The virtual microphone is heard by other programs, bothers nobody and leaves nothing behind."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from main import main
from realtime import virtual_mic
from realtime.devices import list_devices
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings
from realtime.sound_server import sound_server
from realtime.virtual_cable import GUIDES
from realtime.virtual_mic import (
    DRY_SIGNAL,
    MICROPHONE,
    VirtualMic,
    VirtualMicError,
    remove_leftovers,
    status,
    switch_off,
    switch_on,
)
from tests.models import load_refused
from tests.pulse_server import PulseServer, load, running, wait_until

pytestmark = pytest.mark.live

SOURCE = "masksr_live_microphone"
REPOSITORY = Path(__file__).parents[1]
HELD_OPEN = """
from realtime.virtual_mic import VirtualMic
with VirtualMic() as microphone:
    print(microphone.output, flush=True)
    input()
"""


def modules() -> list[tuple[int, str, str]]:
    with sound_server() as server:
        return [(module.index, module.name, module.argument) for module in server.module_list()]


def defaults() -> tuple[str, str]:
    with sound_server() as server:
        names = server.server_info()
        return names.default_source_name, names.default_sink_name


def microphones() -> list[str]:
    return [device.description for device in list_devices() if device.name.startswith(SOURCE)]


def loudness(pulse: PulseServer) -> float:
    """Of a fifth of a second of the virtual microphone, after what was on its way."""
    return float(np.abs(pulse.record(SOURCE, 22_050)[-8_820:]).max())


def killed_while_open() -> None:
    """Run a program that opens a virtual microphone and is killed."""
    command = [sys.executable, "-c", HELD_OPEN]
    with running(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline()


def test_what_is_played_into_it_is_heard(pulse: PulseServer) -> None:
    before = modules()
    with VirtualMic() as microphone:
        assert microphones() == [microphone.microphone] == [MICROPHONE]
        assert status().state == "session"
        assert loudness(pulse) == 0.0
        with pulse.tone(microphone.output, 1000):
            assert loudness(pulse) == pytest.approx(0.5, abs=0.01)
    assert modules() == before
    assert status().state == "off"


@pytest.mark.parametrize(
    "policy",
    ["module-switch-on-connect ignore_virtual=no", "module-always-sink"],
)
def test_it_does_not_become_the_default(policy: str) -> None:
    with PulseServer(policy):
        before = defaults()
        with VirtualMic():
            assert defaults() == before
            assert not status().is_default
        assert defaults() == before


def test_it_does_not_even_become_the_default_where_no_other_microphone_is(pulse: PulseServer) -> None:
    with sound_server() as server:
        server.module_unload(server.get_source_by_name("desk_mic").owner_module)
    before = defaults()
    with VirtualMic():
        assert defaults() == before == ("speakers.monitor", "speakers")


def test_on_a_machine_without_sound_it_still_comes() -> None:
    with PulseServer("module-always-sink"), sound_server() as server:
        for module in reversed(server.module_list()):
            if module.name in ("module-null-sink", "module-remap-source"):
                server.module_unload(module.index)
        wait_until(lambda: defaults()[1] == "auto_null")
        with VirtualMic():
            assert microphones() == [MICROPHONE]
        wait_until(lambda: defaults()[1] == "auto_null")


def test_the_user_may_make_it_the_default(pulse: PulseServer) -> None:
    with VirtualMic():
        pulse.make_default(SOURCE, "speakers")
        assert status().is_default


def test_what_a_killed_program_left_is_removed_and_nothing_else(pulse: PulseServer) -> None:
    with sound_server() as server:
        server.module_load("module-null-sink", "sink_name=masksr_live")
        server.module_load("module-loopback", "source=desk_mic sink=masksr_live")
    before = modules()
    killed_while_open()
    assert status().state == "leftover"
    with VirtualMic() as microphone, pulse.tone(microphone.output, 1000):
        assert microphones() == [MICROPHONE]
        assert loudness(pulse) > 0.4
    assert modules() == before


def test_also_a_session_without_one_removes_what_a_killed_one_left(pulse: PulseServer) -> None:
    before = modules()
    killed_while_open()
    with LiveEngine(EngineSettings(microphone="desk_mic", output="speakers"), load_refused):
        wait_until(lambda: modules() == before)


@pytest.mark.parametrize("part", ["module-null-sink", "module-remap-source"])
def test_half_of_one_is_removed(part: str, pulse: PulseServer) -> None:
    before = modules()
    switch_on()
    with sound_server() as server:
        for module in server.module_list():
            if module.name == part and "masksr_live" in module.argument:
                server.module_unload(module.index)
    switch_off()
    assert modules() == before


def test_only_one_session_has_it(pulse: PulseServer) -> None:
    with VirtualMic():
        before = modules()
        for attempt in (VirtualMic().__enter__, switch_on, switch_off):
            with pytest.raises(
                VirtualMicError, match=r"Process \d+ has the virtual microphone; end it first"
            ):
                attempt()
        assert modules() == before


def test_a_server_started_anew_loses_nothing(pulse: PulseServer) -> None:
    with VirtualMic():
        pulse.kill()
        pulse.start()
        with sound_server() as server:  # these get the indices that the microphone's modules had
            for _ in range(4):
                server.module_load("module-null-source", "")
        before = modules()
    assert modules() == before


def test_one_that_is_on_outlives_its_program_and_sessions(
    pulse: PulseServer, capsys: pytest.CaptureFixture[str]
) -> None:
    before = modules()
    subprocess.run([sys.executable, "main.py", "virtual-mic", "on"], cwd=REPOSITORY, check=True)
    on = modules()
    with VirtualMic() as microphone:
        assert modules() == on
        with pulse.tone(microphone.output, 1000):
            assert loudness(pulse) > 0.4
            with pytest.raises(VirtualMicError, match="end that first"):
                switch_off()
    assert modules() == on
    assert main(["virtual-mic", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "state": "on",
        "microphone": MICROPHONE,
        "output": "masksr_live",
        "idle": "silence",
        "is_default": False,
    }
    assert main(["virtual-mic", "off"]) == 0
    assert capsys.readouterr().out == "There is no virtual microphone.\n"
    assert modules() == before


def test_between_sessions_it_gives_the_dry_signal_if_asked(
    pulse: PulseServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with pulse.tone("room", 1000):
        assert main(["virtual-mic", "on", "--idle", "dry", "--input", "desk"]) == 0
        assert capsys.readouterr().out == f"{MICROPHONE} is on; it gives dry while nothing is restored.\n"
        wait_until(lambda: loudness(pulse) > 0.4)
        with VirtualMic():
            wait_until(lambda: loudness(pulse) == 0.0)
        wait_until(lambda: loudness(pulse) > 0.4)
        switch_on("silence")
        assert status().idle == "silence"
        assert loudness(pulse) == 0.0


def muted() -> dict[str, bool]:
    with sound_server() as server:
        return {stream.name: bool(stream.mute) for stream in server.sink_input_list()}


def test_what_a_killed_session_muted_is_heard_again_and_nothing_else_was_ever_muted() -> None:
    with PulseServer("module-stream-restore"):
        switch_on("dry")
        killed_while_open()
        load("module-loopback", "source=desk_mic sink=speakers")  # the user's own
        assert muted() == {DRY_SIGNAL: True, "Loopback from Desk Microphone": False}
        remove_leftovers()
        assert not any(muted().values())


def test_to_turn_down_what_is_listened_to_is_not_to_turn_down_what_calls_hear() -> None:
    with PulseServer("module-stream-restore"):
        settings = EngineSettings("desk_mic", virtual_mic=True, monitor="speakers")
        for _ in range(2):
            with LiveEngine(settings, load_refused), sound_server() as server:
                wait_until(lambda: len(server.sink_input_list()) == 2)
                sinks = {sink.index: sink.name for sink in server.sink_list()}
                streams = {sinks[stream.sink]: stream for stream in server.sink_input_list()}
                assert not streams["masksr_live"].mute
                server.sink_input_mute(streams["speakers"].index, True)
        assert streams["speakers"].mute  # as it was left


def test_the_dry_signal_ends_with_its_microphone(pulse: PulseServer) -> None:
    """The server would let it hear the only source left: the virtual microphone itself."""
    switch_on("dry")
    with sound_server() as server:
        server.module_unload(server.get_source_by_name("desk_mic").owner_module)
        wait_until(lambda: status().idle == "silence")
        ours = server.get_source_by_name(SOURCE).index
        assert all(stream.source != ours for stream in server.source_output_list())


def test_a_live_session_plays_into_it(pulse: PulseServer, tiny_preset: Path) -> None:
    before = modules()
    command = [sys.executable, "main.py", "live", "--virtual-mic", "--preset", str(tiny_preset)]
    with running(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as live:
        assert live.stdout is not None
        assert live.stdout.readline().startswith("Restoring.")
        with sound_server() as server:
            wait_until(lambda: "masksr_live" in [sink.name for sink in server.sink_list()])
            sink = server.get_sink_by_name("masksr_live").index
            wait_until(lambda: [stream.sink for stream in server.sink_input_list()] == [sink])
        live.send_signal(signal.SIGINT)
        live.communicate()
    assert live.returncode == 0
    assert modules() == before


def test_where_it_cannot_be_made_a_cable_is_chosen(
    pulse: PulseServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(virtual_mic, "MADE_HERE", False)
    monkeypatch.setitem(GUIDES, sys.platform, GUIDES["darwin"])
    for attempt in (VirtualMic().__enter__, switch_on):
        with pytest.raises(VirtualMicError, match="Install BlackHole"):
            attempt()
    assert main(["virtual-mic", "status"]) == 0
    assert capsys.readouterr().out == "There is no virtual microphone.\n"
    with sound_server() as server:
        server.module_load(
            "module-null-sink", "sink_name=blackhole sink_properties='device.description=\"BlackHole 2ch\"'"
        )
    with VirtualMic() as microphone:
        assert (microphone.output, microphone.microphone) == ("blackhole", "BlackHole 2ch")
    with pytest.raises(VirtualMicError, match="leave out the dry signal"):
        switch_on("dry")
    switch_on()
    switch_off()
    assert status().state == "cable"
