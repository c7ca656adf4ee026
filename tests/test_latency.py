"""The announced delay is the one that a voice through the sound server takes."""

import numpy as np
import pytest
import soundfile

from realtime.demo import SAMPLE
from realtime.latency import MeasurementError, delay_ms, measure_latency
from realtime.ring import Samples
from realtime.sound_server import sound_server
from tests.models import load_inverter
from tests.pulse_server import PulseServer, at_best
from tests.signals import noise

pytestmark = pytest.mark.live


def test_the_measured_delay_is_the_announced_one_and_nothing_stays_on_the_server() -> None:
    voice = soundfile.read(SAMPLE, frames=4 * 44_100, dtype="float32")[0]
    with PulseServer():
        with sound_server() as server:
            before = [module.index for module in server.module_list()]
        at_best(lambda: check_latency(voice))
        with sound_server() as server:
            assert [module.index for module in server.module_list()] == before


def check_latency(voice: Samples) -> None:
    latency = measure_latency(voice, None, load_inverter)
    parts = latency.announced
    assert min(parts.capture_ms, parts.algorithm_ms, parts.compute_ms, parts.output_ms) > 5.0
    assert latency.measured_ms == pytest.approx(parts.total_ms, abs=10.0)


def test_a_delay_is_found_also_in_noise_and_upside_down() -> None:
    said = noise(44_100)
    heard = noise(44_100, seed=1) - 0.5 * np.pad(said, (441, 0))[:44_100]
    assert delay_ms(said, heard) == pytest.approx(10.0)


@pytest.mark.parametrize(
    "heard", [noise(44_100, seed=1), np.zeros(44_100, np.float32)], ids=["noise", "silence"]
)
def test_what_cannot_be_found_is_not_measured(heard: np.ndarray) -> None:
    with pytest.raises(MeasurementError, match="cannot be found"):
        delay_ms(noise(44_100), heard)
