"""The process that runs the model: it restores what comes in, and its death is nobody else's."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil
from time import monotonic, sleep
from typing import Literal

import numpy as np

from model.errors import GraphicsCardError, MaskSRError
from model.plan import SAMPLE_RATE_HZ
from realtime.continuation import Continuation
from realtime.graphics_card import with_or_without
from realtime.mailbox import Mailbox
from realtime.mixer import BLOCK_FRAMES, SPARE_FRAMES, Delay
from realtime.processes import end_with_parent, lasting, settle_in
from realtime.processor import StreamProcessor, WindowRestorer
from realtime.restoration import Restoration
from realtime.ring import SharedRing

NICENESS = -5
POLL_SECONDS = 0.002
STATUS_SECONDS = 0.1
WARM_UP_HOPS = 4
HEADROOM_FACTOR = 2.0  # over the slowest hop of the warm-up: what takes longer is bridged
BUSY_FACTOR = 3.0  # over the same: what takes longer, twice in a row, is more than the machine can bear
LEAST_SECONDS = 0.01  # for a hop, however fast: a process may have to wait for its turn
BURST_SECONDS = 0.015  # by which captured sound may come late, and then in one go
FAILING_SECONDS = 2.0  # how long every hop may fail before another process has to try


class ModelFailedError(MaskSRError):
    """The model does not work in this process any more."""


@dataclass(frozen=True)
class ModelOrder:
    """Which model to run, as `realtime.messages.EngineSettings` say, and where."""

    preset: str | None = None
    passes: int | None = None
    lookahead_frames: int | None = None
    on_cpu: bool = False  # even where there is a graphics card


@dataclass(frozen=True)
class LoadedModel:
    """`preset`, `device` and the `notice`, if any, are for the user to read."""

    restorer: WindowRestorer
    preset: str
    device: str
    notice: str | None = None


@dataclass(frozen=True)
class ModelStatus:
    """How the model process is doing; `message` says what is wrong, `notice` what else to know."""

    state: Literal["loading", "running", "refused", "failed"] = "loading"
    progress: float = 0.0
    message: str | None = None
    notice: str | None = None
    preset: str | None = None
    device: str = "CPU"
    delay: Delay = field(default_factory=Delay)
    hops: int = 0
    dry_hops: int = 0
    late_hops: int = 0
    real_time_factor_p50: float = 0.0
    real_time_factor_p95: float = 0.0
    rung: str = ""
    passes_now: int = 0
    passes_wanted: int = 0
    is_failing: bool = False


Load = Callable[[ModelOrder, Callable[[float], None]], LoadedModel]  # the second takes the progress, 0 to 1


@dataclass(frozen=True)
class ModelWorker:
    """What a model process is given, and does: restores `noisy` into `restored`, as the newest order says.

    What is expected to follow goes to `continuations`.
    """

    load: Load
    orders: Mailbox[ModelOrder]
    statuses: Mailbox[ModelStatus]
    noisy: SharedRing
    restored: SharedRing
    continuations: Mailbox[Continuation]

    def run(self) -> None:
        """Restore until killed."""
        settle_in(NICENESS)
        end_with_parent()
        try:
            while True:
                with_or_without(partial(self._carry_out, self.orders.get()))
        except (MaskSRError, RuntimeError, MemoryError, OSError) as error:
            self.statuses.put(ModelStatus("failed", message=str(error) or type(error).__name__))
            raise SystemExit(1) from error

    def _carry_out(self, order: ModelOrder, on_cpu: bool) -> None:
        """Load what `order` says and restore until there is another."""
        self.statuses.put(ModelStatus())
        try:
            with lasting():
                loaded = self.load(
                    replace(order, on_cpu=on_cpu),
                    lambda share: self.statuses.put(ModelStatus(progress=share)),
                )
        except GraphicsCardError:
            raise
        except MaskSRError as error:
            self.statuses.put(ModelStatus("refused", message=str(error)))
            while self.orders.get() == order:
                sleep(STATUS_SECONDS)
            return
        processor = StreamProcessor(loaded.restorer)
        processor.prepare(SAMPLE_RATE_HZ, BLOCK_FRAMES)
        delay = Delay(processor.latency_frames, _warm_up(processor))
        status = ModelStatus(
            "running", 1.0, notice=loaded.notice, preset=loaded.preset, device=loaded.device, delay=delay
        )
        restoration = Restoration(
            processor, self.noisy, self.restored, self.continuations, delay.headroom_frames
        )
        self._restore(order, restoration, processor, status)

    def _restore(
        self, order: ModelOrder, restoration: Restoration, processor: StreamProcessor, status: ModelStatus
    ) -> None:
        told_at = 0.0
        while self.orders.get() == order:
            if monotonic() - told_at > STATUS_SECONDS:
                told_at = monotonic()
                self.statuses.put(_describe(processor, status))
            if not restoration.step():
                sleep(POLL_SECONDS)
            if processor.failures_in_a_row * processor.stats.hop_seconds > FAILING_SECONDS:
                raise ModelFailedError(str(processor.stats.last_error))


def _warm_up(processor: StreamProcessor) -> int:
    """Run the restorer until its speed is known; return the frames to set aside for computing a hop.

    A hop's duration is enough for any restorer that keeps up at all.
    """
    stats, silence = processor.stats, np.zeros(BLOCK_FRAMES, np.float32)
    for hops in (1, WARM_UP_HOPS):  # the first one also sets up what libraries put off until used
        stats.clear()
        while stats.hops < hops:
            processor.process(silence)
    slowest_seconds = stats.compute_ms(100) / 1000.0
    headroom_seconds, processor.ladder.budget_seconds = (
        min(max(factor * slowest_seconds, LEAST_SECONDS), stats.hop_seconds)
        for factor in (HEADROOM_FACTOR, BUSY_FACTOR)
    )
    return ceil((headroom_seconds + BURST_SECONDS + POLL_SECONDS) * SAMPLE_RATE_HZ) + SPARE_FRAMES


def _describe(processor: StreamProcessor, status: ModelStatus) -> ModelStatus:
    stats, ladder = processor.stats, processor.ladder
    return replace(
        status,
        message=stats.last_error,
        hops=stats.hops,
        dry_hops=stats.dry_hops,
        late_hops=stats.late_hops,
        real_time_factor_p50=stats.real_time_factor(50),
        real_time_factor_p95=stats.real_time_factor(95),
        rung=ladder.rung,
        passes_now=ladder.passes,
        passes_wanted=ladder.wanted,
        is_failing=processor.failures_in_a_row > 0,
    )
