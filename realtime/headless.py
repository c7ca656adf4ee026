"""A live session without a window."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic
from types import FrameType

import numpy as np

from model.errors import MaskSRError
from realtime.device_follower import devices_followed
from realtime.device_pair import check_devices
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings, EngineStatus
from realtime.model_loader import load_model
from realtime.model_process import Load
from realtime.processes import ending_signals
from realtime.recorder import Recorder
from realtime.ring import Samples
from realtime.session_file import SessionFile
from realtime.signal_tap import SignalTap

TURN_SECONDS = 0.1
TELL_SECONDS = 1.0
SILENCE_DB = -90.0
METER_DB, METER_STEPS = (-60.0, 0.0), 12


class EngineFailedError(MaskSRError):
    """The live engine ended by itself."""


def run_headless(
    settings: EngineSettings,
    show: Callable[[EngineStatus, SignalTap], None],
    show_seconds: float = TURN_SECONDS,
    record: Path | None = None,
    load: Load = load_model,
) -> EngineStatus:
    """Restore live sound until one of the `ending_signals`; return the last status.

    `show` is called every `show_seconds`. Both signals are kept in the folder `record`. Raises DeviceError
    when the devices are not there to begin with, AudioFileError when the recording cannot begin,
    EngineFailedError when the engine ends.
    """
    check_devices(settings)
    with ExitStack() as opened:
        stopping = opened.enter_context(_stopped_by_signals())
        session = opened.enter_context(SessionFile())
        engine = opened.enter_context(LiveEngine(settings, load))
        opened.enter_context(devices_followed(engine))
        recorder = None if record is None else opened.enter_context(Recorder(engine.tap, record))
        tell_at = show_at = monotonic()
        while not stopping.wait(TURN_SECONDS) and engine.status.state != "failed":
            if recorder is not None:
                recorder.write()
            if monotonic() >= show_at:
                show(_told_of(recorder, engine.status), engine.tap)
                show_at += show_seconds
            if monotonic() >= tell_at:
                session.put(_told_of(recorder, engine.status))
                tell_at += TELL_SECONDS
        status = _told_of(recorder, engine.status)
    if status.state == "failed":
        raise EngineFailedError(status.message or "The engine ended; start it again.")
    return status


def _told_of(recorder: Recorder | None, status: EngineStatus) -> EngineStatus:
    problem = None if recorder is None else recorder.problem
    return status if status.message or problem is None else replace(status, message=problem)


def status_line(status: EngineStatus, tap: SignalTap) -> str:
    """One line: levels of both signals, delay, load and what the user should know."""
    frames = round(TURN_SECONDS * tap.sample_rate_hz)
    levels = [_meter(sound) for sound in tap.read(tap.written - frames, frames)]
    parts = [status.state, f"in {levels[0]}", f"out {levels[1]}"]
    if status.report is not None:
        parts.append(f"delay {status.report.latency.total_ms:.0f} ms")
        parts.append(f"load {100 * status.report.real_time_factor_p95:.0f} %")
        parts.append(f"{status.report.dropouts} dropouts")
    parts.append(status.message or status.rung)
    return "  ".join(part for part in parts if part)


def _meter(sound: Samples) -> str:
    peak_db = 20 * np.log10(max(float(np.abs(sound).max(initial=0.0)), 10 ** (SILENCE_DB / 20)))
    steps = round(float(np.interp(peak_db, METER_DB, (0, METER_STEPS))))
    return f"{'#' * steps:-<{METER_STEPS}} {peak_db:3.0f} dB"


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Yields what signals that ask to end set: nothing is cut off in the middle."""
    stopping = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in ending_signals()}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
