"""Live sessions and the virtual microphone work on PipeWire as they do on PulseAudio."""

from collections.abc import Iterator
from time import monotonic

import numpy as np
import pytest

from realtime.devices import list_devices
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings
from realtime.virtual_mic import MICROPHONE, VirtualMic
from tests.models import load_inverter
from tests.pipewire_server import PipeWireServer
from tests.pulse_server import DESK_MIC, at_best, load, remove, wait_until

pytestmark = pytest.mark.live

TONE_HZ = 441
OURS = "masksr_live_microphone"


@pytest.fixture
def pipewire() -> Iterator[PipeWireServer]:
    with PipeWireServer() as server:
        yield server


def hears_the_tone(server: PipeWireServer, source: str) -> bool:
    """Whether `source` hears it for a quarter of a second, without a pause."""
    waves = server.record(source, 11_025).reshape(-1, 441)
    loudest = np.argmax(np.abs(np.fft.rfft(waves, axis=1)), axis=1) * 44_100 / 441
    return bool(np.abs(waves).max(axis=1).min() > 0.4 and np.abs(loudest - TONE_HZ).max() <= 100)


def test_devices_and_defaults_are_known(pipewire: PipeWireServer) -> None:
    devices = {device.name: device for device in list_devices()}
    assert set(devices) == {"desk_mic", "speakers", "speakers.monitor", "room", "room.monitor"}
    assert "PipeWire" in devices["speakers"].host_api
    assert [device.name for device in devices.values() if device.is_default] == ["desk_mic", "speakers"]


def test_the_virtual_microphone_is_heard_and_is_no_default(pipewire: PipeWireServer) -> None:
    with VirtualMic() as virtual_mic, pipewire.tone(virtual_mic.output, TONE_HZ):
        devices = {device.name: device for device in list_devices()}
        assert (devices[OURS].description, devices[OURS].is_ours) == (MICROPHONE, True)
        assert not any(device.is_ours and device.is_default for device in devices.values())
        wait_until(lambda: hears_the_tone(pipewire, OURS))
    assert OURS not in [device.name for device in list_devices()]


def test_a_session_is_heard_and_flows_again_within_two_seconds_of_its_microphone_being_back() -> None:
    def check() -> None:
        settings = EngineSettings(microphone="desk_mic", virtual_mic=True)
        with (
            PipeWireServer() as pipewire,
            pipewire.tone("room", TONE_HZ),
            LiveEngine(settings, load_inverter) as engine,
        ):
            wait_until(lambda: engine.status.state == "running" and hears_the_tone(pipewire, OURS))
            assert engine.status.microphone == "Desk Microphone"
            remove("desk_mic")
            wait_until(lambda: engine.status.state == "recovering")
            wait_until(lambda: not pipewire.record(OURS, 11_025).any())  # no other microphone is heard
            load("module-remap-source", DESK_MIC)
            back = monotonic()
            wait_until(lambda: hears_the_tone(pipewire, OURS))
            assert monotonic() - back < 2.0

    at_best(check)
