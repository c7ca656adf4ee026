"""A long live session on the sound server, and what it cost: lost sound, memory, delay."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import psutil

from realtime.booth import Booth
from realtime.latency import REST_SECONDS, MeasurementError, delay_ms, wait_until_settled
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings
from realtime.model_loader import load_model
from realtime.model_process import Load
from realtime.ring import Samples

BYTES_PER_MB = 1e6


@dataclass(frozen=True)
class Soak:
    """What `seconds` of a session brought. Growth is of memory in use, from the first round to the end.

    `stolen_seconds` of processor time went to others than this machine, if it is a virtual one. The voice
    was said in `rounds`; the delays are of those in which it was heard again, None without any.
    """

    seconds: float
    stolen_seconds: float
    rounds: int
    lost_rounds: int
    bridged: int
    dropouts: int
    dry_hops: int
    hops: int
    real_time_factor_p95: float
    audio_growth_mb: float
    model_growth_mb: float
    first_delay_ms: float | None
    least_delay_ms: float | None
    most_delay_ms: float | None


def soak(
    voice: Samples,
    minutes: float,
    preset: str | None,
    on_progress: Callable[[float], None],
    load: Load = load_model,
) -> Soak:
    """Say float32 `voice`, 44.1 kHz, again and again to a live session between virtual devices.

    `on_progress` gets the share that is done, 0 to 1. Raises MeasurementError and SoundServerError.
    """
    with Booth() as booth:
        settings = EngineSettings(microphone=booth.microphone, output=booth.output, preset=preset)
        with LiveEngine(settings, load) as engine:
            wait_until_settled(engine)
            rounds = [_round(booth, voice)]
            before, begun, end = _Moment(engine), monotonic(), monotonic() + 60.0 * minutes
            while monotonic() < end:
                rounds.append(_round(booth, voice))
                on_progress(min(1.0, (monotonic() - begun) / (60.0 * minutes)))
            after = _Moment(engine)
            seconds = monotonic() - begun
    delays_ms = [delay for delay in rounds if delay is not None]
    return Soak(
        seconds=seconds,
        stolen_seconds=after.stolen_seconds - before.stolen_seconds,
        rounds=len(rounds),
        lost_rounds=len(rounds) - len(delays_ms),
        bridged=after.report.bridged - before.report.bridged,
        dropouts=after.report.dropouts - before.report.dropouts,
        dry_hops=after.report.dry_hops - before.report.dry_hops,
        hops=after.report.hops - before.report.hops,
        real_time_factor_p95=after.report.real_time_factor_p95,
        audio_growth_mb=after.memory_mb[0] - before.memory_mb[0],
        model_growth_mb=after.memory_mb[1] - before.memory_mb[1],
        first_delay_ms=next(iter(delays_ms), None),
        least_delay_ms=min(delays_ms, default=None),
        most_delay_ms=max(delays_ms, default=None),
    )


def _round(booth: Booth, voice: Samples) -> float | None:
    """The delay of `voice`; None where it is not found in what came out."""
    try:
        return delay_ms(*booth.say(voice, REST_SECONDS))
    except MeasurementError:
        return None


class _Moment:
    """How a session stands: its report, and the memory of its processes, of the devices and of the model.

    And how much processor time the host of a virtual machine took, ever since that was started.
    """

    def __init__(self, engine: LiveEngine) -> None:
        status = engine.status
        if status.report is None:
            raise MeasurementError(f"The session broke off ({status.message}); measure again.")
        self.report = status.report
        self.stolen_seconds = getattr(psutil.cpu_times(), "steal", 0.0)
        audio = psutil.Process(engine.process_id)
        self.memory_mb = [_written_mb(process) for process in (audio, audio.children()[-1])]


def _written_mb(process: psutil.Process) -> float:
    """Memory that a process has written to: what it only reads of libraries, it shares with whoever runs."""
    return sum(part.private_dirty for part in process.memory_maps()) / BYTES_PER_MB
