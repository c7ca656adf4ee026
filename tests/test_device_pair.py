"""A pair of devices hears what was chosen, plays to what was chosen, and comes back from whatever happens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from realtime import device_stream
from realtime.device_info import DeviceError, DeviceInfo
from realtime.device_pair import DevicePair, check_devices
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings
from realtime.ring import Samples
from realtime.sound_server import OWNER_PROPERTY, sound_server
from realtime.virtual_mic import MICROPHONE
from tests.models import load_inverter
from tests.pulse_server import DESK_MIC, PulseServer, load, remove, wait_until
from tests.signals import tone

pytestmark = pytest.mark.live

SECOND = 44_100
ROOM_HZ, PLAYED_HZ = 1000, 600
DESK = EngineSettings(microphone="desk_mic", output="headset")


@pytest.fixture
def pulse() -> Iterator[PulseServer]:
    with PulseServer(
        "module-null-source source_name=usb_mic", "module-null-sink sink_name=headset norewinds=1"
    ) as server:
        server.make_default("desk_mic", "speakers")
        yield server


class Ear:
    """Listens to a pair, and plays a tone to it."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []
        self._phase = 0

    def capture(self, block: Samples, seconds_ago: float) -> None:
        assert 0.0 < seconds_ago < 2.0
        self.heard.append(block.copy())

    def playback(self, out: Samples, seconds_ahead: float) -> None:
        assert 0.0 < seconds_ahead < 2.0
        out[:] = tone(SECOND, hz=PLAYED_HZ)[self._phase : self._phase + len(out)]
        self._phase = (self._phase + len(out)) % SECOND

    def hears(self, hz: int) -> bool:
        """Whether the newest half second is a tone of that frequency."""
        newest = np.concatenate([np.zeros(SECOND // 2, np.float32), *self.heard[-50:]])[-SECOND // 2 :]
        return is_tone(newest, hz)


def is_tone(sound: Samples, hz: int) -> bool:
    if not len(sound):
        return False  # the device has yet to come
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    loudest_hz = int(np.argmax(spectrum)) * SECOND / len(sound)
    return float(np.abs(sound).max()) > 0.1 and abs(loudest_hz - hz) < 20


@contextmanager
def started(settings: EngineSettings, ear: Ear) -> Iterator[DevicePair]:
    pair = DevicePair(settings)
    pair.start(ear.capture, ear.playback, 0.0)
    try:
        yield pair
    finally:
        pair.stop()


def places() -> tuple[set[str], set[str]]:
    """The sources and sinks that ALSA's streams, ours, are on."""
    with sound_server() as server:
        sources = {source.index: source.name for source in server.source_list()}
        sinks = {sink.index: sink.name for sink in server.sink_list()}
        return (
            {sources[s.source] for s in server.source_output_list() if s.name == "ALSA Capture"},
            {sinks[s.sink] for s in server.sink_input_list() if s.name == "ALSA Playback"},
        )


def connections() -> set[tuple[str, int]]:
    """Of our streams with the server; one that is opened anew has another.

    (Its own number changes besides, when ALSA makes it anew after an underrun.)
    """
    with sound_server() as server:
        streams = [*server.source_output_list(), *server.sink_input_list()]
        return {(stream.name, stream.client) for stream in streams if stream.name.startswith("ALSA")}


def name_of(device: DeviceInfo | None) -> str | None:
    return None if device is None else device.name


def wait_for_sound(pulse: PulseServer, ear: Ear, sink: str = "headset") -> None:
    """Until the room is heard, and what is played arrives in `sink`."""
    with pulse.tone("room", ROOM_HZ):
        wait_until(lambda: ear.hears(ROOM_HZ))
    wait_until(lambda: is_tone(pulse.record(f"{sink}.monitor", SECOND // 4), PLAYED_HZ))


def test_what_was_chosen_is_heard_and_played_to(pulse: PulseServer) -> None:
    before, ear = dict(os.environ), Ear()
    with started(EngineSettings(microphone="Desk", output="headset"), ear) as pair:
        wait_for_sound(pulse, ear)
        assert os.environ == before
        assert places() == ({"desk_mic"}, {"headset"})
        assert pair.problem is None


def test_the_defaults_are_followed(pulse: PulseServer) -> None:
    pair, ear = DevicePair(EngineSettings()), Ear()
    pulse.make_default("desk_mic", "headset")  # between choice and opening
    pair.start(ear.capture, ear.playback, 0.0)
    try:
        wait_for_sound(pulse, ear)
        pulse.make_default("usb_mic", "speakers")
        wait_until(lambda: places() == ({"usb_mic"}, {"speakers"}))
        wait_until(lambda: (name_of(pair.microphone), name_of(pair.speaker)) == ("usb_mic", "speakers"))
    finally:
        pair.stop()


def test_a_default_that_is_our_own_is_not_followed(pulse: PulseServer) -> None:
    ear = Ear()
    with started(EngineSettings(), ear):
        wait_until(lambda: places() == ({"desk_mic"}, {"speakers"}))
        properties = f"source_properties={OWNER_PROPERTY}=somebody"
        load("module-remap-source", f"master=room.monitor source_name=ours {properties}")
        pulse.make_default("ours", "headset")
        wait_until(lambda: places() == ({"desk_mic"}, {"headset"}))
        wait_for_sound(pulse, ear)


def test_a_choice_stays_when_the_default_changes(pulse: PulseServer) -> None:
    ear = Ear()
    with started(EngineSettings(microphone="desk_mic"), ear):
        wait_until(lambda: places() == ({"desk_mic"}, {"speakers"}))
        pulse.make_default("usb_mic", "headset")
        wait_until(lambda: places() == ({"desk_mic"}, {"headset"}))


def test_new_settings_move_the_streams(pulse: PulseServer) -> None:
    ear = Ear()
    with started(DESK, ear) as pair:
        wait_for_sound(pulse, ear)
        other = EngineSettings(microphone="usb_mic", output="speakers")
        assert pair.can_follow(other)
        pair.follow(other)
        wait_until(lambda: places() == ({"usb_mic"}, {"speakers"}))
        wait_until(lambda: is_tone(pulse.record("speakers.monitor", SECOND // 4), PLAYED_HZ))
        assert not pair.can_follow(EngineSettings(virtual_mic=True))


def test_a_microphone_that_is_unplugged_is_waited_for_and_no_other_is_heard(pulse: PulseServer) -> None:
    ear = Ear()
    with started(DESK, ear) as pair:
        wait_for_sound(pulse, ear)
        remove("desk_mic")
        wait_until(lambda: pair.microphone is None)
        wait_until(lambda: places() == (set(), {"headset"}))
        assert pair.problem is not None
        assert pair.problem.startswith("'desk_mic' is not among the input devices; choose one of:")
        load("module-remap-source", DESK_MIC)
        wait_for_sound(pulse, ear)
        assert pair.problem is None


def test_an_output_that_is_unplugged_is_waited_for_and_no_other_is_played_to(pulse: PulseServer) -> None:
    ear = Ear()
    with started(DESK, ear) as pair:
        wait_for_sound(pulse, ear)
        remove("headset")
        wait_until(lambda: places() == ({"desk_mic"}, set()))
        assert pair.problem is not None
        load("module-null-sink", "sink_name=headset norewinds=1")
        wait_for_sound(pulse, ear)


def test_a_device_that_comes_back_with_another_rate_is_taken_again(pulse: PulseServer) -> None:
    ear = Ear()
    with started(DESK, ear):
        wait_for_sound(pulse, ear)
        remove("desk_mic")
        remove("room")
        load("module-null-sink", "sink_name=room rate=96000 norewinds=1")
        load("module-remap-source", DESK_MIC)
        wait_for_sound(pulse, ear)


def test_a_server_that_is_killed_and_started_again_is_connected_to(pulse: PulseServer) -> None:
    ear = Ear()
    with started(DESK, ear) as pair:
        wait_for_sound(pulse, ear)
        pulse.kill()
        wait_until(lambda: pair.microphone is None and pair.speaker is None)
        wait_until(
            lambda: (
                pair.problem == "There are no sound devices; see whether PipeWire or PulseAudio is running."
            )
        )
        pulse.start()
        wait_for_sound(pulse, ear)


def test_a_server_that_hung_is_played_to_again(pulse: PulseServer) -> None:
    ear = Ear()
    with started(DESK, ear) as pair:
        wait_for_sound(pulse, ear)
        pulse.hang()
        wait_until(lambda: pair.problem is not None)
        pulse.go_on()
        wait_for_sound(pulse, ear)
        wait_until(lambda: pair.problem is None)


def test_a_pair_can_be_stopped_while_the_server_hangs(pulse: PulseServer) -> None:
    with started(DESK, Ear()):
        wait_until(lambda: places() == ({"desk_mic"}, {"headset"}))
        pulse.hang()
    pulse.go_on()
    wait_until(lambda: places() == (set(), set()))


def test_after_suspend_the_streams_are_opened_anew(
    pulse: PulseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, clock = Ear(), device_stream._now
    with started(DESK, ear):
        wait_for_sound(pulse, ear)
        before = connections()
        monkeypatch.setattr(device_stream, "_now", lambda: clock() + 3600.0)
        wait_until(lambda: len(connections() - before) == 2)
        wait_for_sound(pulse, ear)
        assert not connections() & before


def test_the_own_virtual_microphone_is_never_heard_even_when_it_is_all_there_is(pulse: PulseServer) -> None:
    ear = Ear()
    with started(EngineSettings(virtual_mic=True), ear) as pair:
        wait_for_sound(pulse, ear, "masksr_live")
        heard = len(ear.heard)
        remove("usb_mic")
        remove("desk_mic")
        wait_until(lambda: pair.microphone is None)
        wait_until(lambda: places()[0] == set())
        assert pair.problem is not None
        load("module-remap-source", DESK_MIC)
        wait_for_sound(pulse, ear, "masksr_live")
    wave = np.exp(2j * np.pi * PLAYED_HZ * np.arange(pair.capture_block_frames) / SECOND)
    assert max(abs(np.vdot(wave, block)) / len(block) for block in ear.heard[heard:]) < 0.05


def test_the_virtual_microphone_comes_back_with_the_server(pulse: PulseServer) -> None:
    ear = Ear()
    with started(EngineSettings(virtual_mic=True), ear):
        wait_for_sound(pulse, ear, "masksr_live")
        pulse.kill()
        pulse.start()
        wait_for_sound(pulse, ear, "masksr_live")
        with sound_server() as server:
            assert [s.description for s in server.source_list()].count(MICROPHONE) == 1
    with sound_server() as server:
        assert MICROPHONE not in [source.description for source in server.source_list()]


def test_what_hears_its_own_output_is_refused_until_the_output_is_another(pulse: PulseServer) -> None:
    ear = Ear()
    loop = EngineSettings(microphone="desk_mic", output="room")
    with pytest.raises(DeviceError, match="hears what Room plays and would hear itself; choose another"):
        check_devices(loop)
    with started(loop, ear) as pair:
        wait_until(lambda: places() == (set(), {"room"}))
        assert pair.problem is not None
        assert "would hear itself" in pair.problem
        pair.follow(DESK)
        wait_for_sound(pulse, ear)


def test_a_monitor_hears_what_goes_out_while_it_is_wanted(pulse: PulseServer) -> None:
    settings = EngineSettings(microphone="desk_mic", virtual_mic=True)
    with (
        LiveEngine(replace(settings, monitor="headset"), load_inverter) as engine,
        pulse.tone("room", ROOM_HZ),
    ):
        wait_until(lambda: is_tone(pulse.record("headset.monitor", SECOND // 4), ROOM_HZ))
        engine.settings = settings
        wait_until(lambda: not pulse.record("headset.monitor", SECOND // 4).any())
        assert is_tone(pulse.record("masksr_live.monitor", SECOND // 4), ROOM_HZ)


@pytest.mark.parametrize(
    ("monitor", "problem"),
    [("headset", "is the output already"), ("room", "would hear itself"), ("banjo", "is not among")],
)
def test_a_monitor_that_makes_no_sense_is_refused(pulse: PulseServer, monitor: str, problem: str) -> None:
    settings, ear = replace(DESK, monitor=monitor), Ear()
    with pytest.raises(DeviceError, match=problem):
        check_devices(settings)
    with started(settings, ear) as pair:
        wait_for_sound(pulse, ear)
        assert pair.problem is not None
        assert problem in pair.problem
        assert places() == ({"desk_mic"}, {"headset"})


def test_an_unknown_name_can_be_told_beforehand(pulse: PulseServer) -> None:
    with pytest.raises(DeviceError, match="'banjo' is not among the input devices"):
        check_devices(EngineSettings(microphone="banjo"))
