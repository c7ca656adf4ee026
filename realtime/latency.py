"""The delay of a live session: what it announces, and what a voice through the sound server takes."""

from dataclasses import dataclass
from time import sleep

import numpy as np
import scipy.signal

from model.errors import MaskSRError
from model.plan import SAMPLE_RATE_HZ
from realtime.booth import Booth
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings
from realtime.model_loader import load_model
from realtime.model_process import Load
from realtime.ring import Samples
from realtime.stats import LatencyBudget

SETTLING_SECONDS = 10.0  # until the clocks and the delays of the devices are known
POLL_SECONDS = 0.1
REST_SECONDS = 2.5  # more than any delay
LEAST_LIKENESS = 0.2


class MeasurementError(MaskSRError):
    """A live session cannot be measured."""


@dataclass(frozen=True)
class Latency:
    """`measured_ms` is from the microphone to the output, as is the total of `announced`."""

    preset: str
    announced: LatencyBudget
    measured_ms: float


def measure_latency(voice: Samples, preset: str | None, load: Load = load_model) -> Latency:
    """Say float32 `voice`, 44.1 kHz, to a live session between virtual devices on the sound server.

    Raises MeasurementError and SoundServerError.
    """
    with Booth() as booth:
        settings = EngineSettings(microphone=booth.microphone, output=booth.output, preset=preset)
        with LiveEngine(settings, load) as engine:
            wait_until_settled(engine)
            measured_ms = delay_ms(*booth.say(voice, REST_SECONDS))
            status = engine.status
    if status.report is None:
        raise MeasurementError(f"The session broke off ({status.message}); measure again.")
    return Latency(str(status.preset), status.report.latency, measured_ms)


def wait_until_settled(engine: LiveEngine) -> None:
    """Wait for the model and for steady devices. Raises MeasurementError when there will be none."""
    restored_seconds = 0.0
    while restored_seconds < SETTLING_SECONDS:
        sleep(POLL_SECONDS)
        status = engine.status
        if status.message is not None:
            raise MeasurementError(status.message)
        restored_seconds += POLL_SECONDS * (status.state == "running")


def delay_ms(said: Samples, heard: Samples) -> float:
    """By how much `heard` is later than `said`, float32 [samples] at 44.1 kHz, from what they have in common.

    Raises MeasurementError where that is too little.
    """
    likeness = scipy.signal.correlate(heard, said)
    scale = float(np.linalg.norm(said) * np.linalg.norm(heard))
    best = int(np.argmax(np.abs(likeness)))
    if np.abs(likeness[best]) < LEAST_LIKENESS * scale or scale == 0.0:
        raise MeasurementError("What was said cannot be found in what was heard; choose another preset.")
    return 1000.0 * (best - len(said) + 1) / SAMPLE_RATE_HZ
