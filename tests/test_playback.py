"""What was recorded is played where the user listens, and ends when told to."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from model.plan import SAMPLE_RATE_HZ
from realtime.device_info import DeviceError, choose_device
from realtime.devices import list_devices, portaudio
from realtime.playback import play
from realtime.sound_server import sound_server
from tests.pulse_server import PulseServer, wait_until
from tests.signals import tone

pytestmark = pytest.mark.live

SECONDS = 60  # far longer than the test takes


def test_a_sound_is_heard_on_the_device_until_it_is_stopped(pulse: PulseServer) -> None:
    room, stopping = choose_device(list_devices(), "room", "output"), Event()
    with ThreadPoolExecutor() as executor:
        playing = executor.submit(play, tone(SECONDS * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ, room, stopping)
        heard = pulse.record("room.monitor", 2 * SAMPLE_RATE_HZ)
        assert not playing.done()
        stopping.set()
        playing.result()
    spectrum = np.abs(np.fft.rfft(heard[-SAMPLE_RATE_HZ:]))  # one second: a bin is one hertz
    assert np.argmax(spectrum) == 200


def test_a_device_that_nobody_converts_for_gets_its_own_rate(pulse: PulseServer) -> None:
    index = portaudio().query_devices("pulse")["index"]
    room, stopping = choose_device(list_devices(), "room", "output"), Event()
    bare = replace(room, on_server=False, index=index, rate_hz=32_000)
    with ThreadPoolExecutor() as executor, sound_server() as server:
        playing = executor.submit(play, tone(2 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ, bare, stopping)
        wait_until(lambda: [s.sample_spec.rate for s in server.sink_input_list()] == [32_000])
        heard = pulse.record("speakers.monitor", SAMPLE_RATE_HZ)
        stopping.set()
        playing.result()
    assert np.argmax(np.abs(np.fft.rfft(heard))) == 200


def test_a_short_sound_ends_by_itself(pulse: PulseServer) -> None:
    play(tone(2000), SAMPLE_RATE_HZ, choose_device(list_devices(), "room", "output"), Event())


def test_a_device_that_cannot_play_is_reported(pulse: PulseServer) -> None:
    nowhere = replace(choose_device(list_devices(), "room", "output"), on_server=False, index=9999)
    with pytest.raises(DeviceError, match=r"Room cannot play .* choose another device"):
        play(tone(2000), SAMPLE_RATE_HZ, nowhere, Event())
