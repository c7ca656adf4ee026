"""What the window or a headless command and the live engine tell each other: plain values, safe to pickle."""

from dataclasses import dataclass, field
from typing import Literal

from model.errors import MaskSRError
from realtime.stats import LatencyBudget

State = Literal["loading", "running", "dry", "recovering", "failed", "stopped"]


class ParameterError(MaskSRError):
    """A parameter of a stream is out of its range."""


@dataclass(frozen=True)
class Parameters:
    """What may change while a stream runs. `dry_wet`: 0 is the untouched input, 1 the restored sound."""

    dry_wet: float = 1.0
    bypass: bool = False
    mute: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.dry_wet <= 1.0:
            raise ParameterError(f"dry_wet is {self.dry_wet}; choose a value from 0 (dry) to 1 (restored).")

    @property
    def wet_gain(self) -> float:
        return 0.0 if self.bypass else self.dry_wet

    @property
    def output_gain(self) -> float:
        return 0.0 if self.mute else 1.0


@dataclass(frozen=True)
class EngineSettings:
    """What the user chose. Devices go by name, index or a unique part of the name.

    `found` tells an engine without a sound server, which would not hear of it, what there is now of the
    microphone, the output and the monitor.
    """

    microphone: str | None = None  # None follows the system's default
    output: str | None = None  # None follows the system's default; unused with the virtual microphone
    virtual_mic: bool = False
    monitor: str | None = None  # one more listener; None means nobody
    preset: str | None = None  # name or path; None means the best that this machine can keep up with
    passes: int | None = None  # None means the preset's
    lookahead_frames: int | None = None  # None means the preset's
    parameters: Parameters = field(default_factory=Parameters)
    found: tuple[str | None, ...] | None = (
        None  # what alone means each device; None for one that is not there
    )


@dataclass(frozen=True)
class SessionReport:
    """How a session is doing, or did.

    Of the blocks that were not ready in time, `bridged` were replaced by what the hop before had expected to
    follow, and `dropouts` went out unrestored.
    """

    seconds: float
    latency: LatencyBudget
    real_time_factor_p50: float
    real_time_factor_p95: float
    passes_per_hop: int
    hops: int
    dry_hops: int
    late_hops: int
    bridged: int
    dropouts: int
    device_overruns: int
    last_error: str | None


@dataclass(frozen=True)
class EngineStatus:
    """Where the engine stands. `message` is for the user: what is wrong and what to do.

    `progress` is the share of loading that is done, 0 to 1; `microphone` and `output` describe the devices in
    use; `device` is what computes, "CPU" or the name of the graphics card; `rung` is the step of the overload
    ladder in words.
    """

    state: State = "loading"
    progress: float = 0.0
    message: str | None = None
    microphone: str | None = None
    output: str | None = None
    preset: str | None = None
    device: str = "CPU"
    report: SessionReport | None = None
    rung: str = ""
    passes_now: int = 0
    passes_wanted: int = 0
