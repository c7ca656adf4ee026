"""A pair of devices hears the chosen microphone, plays to the chosen speaker and follows the defaults."""

import os
from collections.abc import Iterator

import numpy as np
import pytest

from realtime.device_info import DeviceError
from realtime.device_pair import DevicePair
from realtime.ring import Samples
from realtime.sound_server import OWNER_PROPERTY, sound_server
from tests.pulse_server import PulseServer, wait_until
from tests.signals import tone

SECOND = 44_100


@pytest.fixture
def pulse() -> Iterator[PulseServer]:
    with PulseServer(
        "module-null-source source_name=usb_mic", "module-null-sink sink_name=headset"
    ) as server:
        server.make_default("desk_mic", "speakers")
        yield server


class Ear:
    """Listens to a pair, and plays a tone of 600 Hz to it."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []
        self._phase = 0

    def capture(self, block: Samples, seconds_ago: float) -> None:
        self.heard.append(block.copy())

    def playback(self, out: Samples, seconds_ahead: float) -> None:
        out[:] = tone(SECOND, hz=600)[self._phase : self._phase + len(out)]
        self._phase = (self._phase + len(out)) % SECOND


def loudest_hz(sound: Samples) -> float:
    assert np.abs(sound).max() > 0.1, "silence"
    return float(np.argmax(np.abs(np.fft.rfft(sound)))) * SECOND / len(sound)


def ends_of_streams() -> tuple[set[str], set[str]]:
    """The sources and sinks that ALSA's streams, ours, are on."""
    with sound_server() as server:
        sources = {source.index: source.name for source in server.source_list()}
        sinks = {sink.index: sink.name for sink in server.sink_list()}
        return (
            {sources[s.source] for s in server.source_output_list() if s.name == "ALSA Capture"},
            {sinks[s.sink] for s in server.sink_input_list() if s.name == "ALSA Playback"},
        )


def test_what_was_chosen_is_heard_and_played_to(pulse: PulseServer) -> None:
    before, ear = dict(os.environ), Ear()
    pair = DevicePair("Desk", "headset")
    with pulse.tone("room", 1000):
        pair.start(ear.capture, ear.playback, 0)
        try:
            assert os.environ == before
            wait_until(lambda: len(ear.heard) * pair.capture_block_frames > 2 * SECOND)
            played = pulse.record("headset.monitor", SECOND)
            assert ends_of_streams() == ({"desk_mic"}, {"headset"})
        finally:
            pair.stop()
    assert loudest_hz(np.concatenate(ear.heard)[-SECOND:]) == pytest.approx(1000, abs=20)
    assert loudest_hz(played) == pytest.approx(600, abs=20)


def test_the_defaults_are_followed(pulse: PulseServer) -> None:
    ear, pair = Ear(), DevicePair(None, None)
    pulse.make_default("desk_mic", "headset")  # between choice and opening
    pair.start(ear.capture, ear.playback, 0)
    try:
        assert ends_of_streams() == ({"desk_mic"}, {"headset"})
        pulse.make_default("usb_mic", "speakers")
        wait_until(lambda: ends_of_streams() == ({"usb_mic"}, {"speakers"}))
        wait_until(lambda: (pair.microphone.name, pair.speaker.name) == ("usb_mic", "speakers"))
    finally:
        pair.stop()


def test_a_default_that_is_our_own_is_not_followed(pulse: PulseServer) -> None:
    ear, pair = Ear(), DevicePair(None, None)
    pair.start(ear.capture, ear.playback, 0)
    try:
        with sound_server() as server:
            properties = f"source_properties={OWNER_PROPERTY}=somebody"
            server.module_load("module-remap-source", f"master=room.monitor source_name=ours {properties}")
        pulse.make_default("ours", "headset")
        wait_until(lambda: ends_of_streams() == ({"desk_mic"}, {"headset"}))
    finally:
        pair.stop()


def test_a_choice_stays_when_the_default_changes(pulse: PulseServer) -> None:
    ear, pair = Ear(), DevicePair("desk_mic", None)
    pair.start(ear.capture, ear.playback, 0)
    try:
        pulse.make_default("usb_mic", "headset")
        wait_until(lambda: ends_of_streams() == ({"desk_mic"}, {"headset"}))
    finally:
        pair.stop()


def test_an_unknown_name_fails_before_anything_is_opened(pulse: PulseServer) -> None:
    with pytest.raises(DeviceError, match="'banjo' is not among the input devices"):
        DevicePair("banjo", None)
