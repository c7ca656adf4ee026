"""A live session: sound from a device through the streaming processor and back, in real time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from threading import Event
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from realtime.bridge import Bridge
from realtime.messages import Parameters, SessionReport
from realtime.processor import StreamProcessor, WindowRestorer
from realtime.ring import Samples
from realtime.stats import LatencyBudget

WARM_UP_HOPS = 4
HEADROOM_FACTOR = 2.0  # over the slowest hop of the warm-up
POLL_SECONDS = 0.002
REPORT_SECONDS = 0.1


class AudioDevice(Protocol):
    """A microphone and a listener at one rate, which ask for and bring one block at a time."""

    finished: Event  # set when no more sound will come

    @property
    def sample_rate_hz(self) -> int: ...

    @property
    def block_frames(self) -> int: ...

    @property
    def capture_ms(self) -> float: ...

    @property
    def output_ms(self) -> float: ...

    @property
    def jitter_ms(self) -> float:
        """By how much blocks may come, or be asked for, sooner or later than their time."""

    @property
    def overruns(self) -> int:
        """How often the device itself lost sound."""

    def start(
        self, capture: Callable[[Samples], None], playback: Callable[[Samples], None], delay_frames: int
    ) -> None:
        """Begin to call `capture` with each block heard and `playback` for each block to be filled.

        What is filled in is what was heard `delay_frames` earlier.
        """

    def stop(self) -> None:
        """Stop calling. Raises the error that ended the device's work early, if one did."""


class LiveSession:
    """Runs `restorer` on a device while the context is open; `run` waits for its end.

    Everything asked of a session is plain data going in (`parameters`) and coming out (`report`).
    """

    def __init__(self, restorer: WindowRestorer, device: AudioDevice) -> None:
        self._device = device
        self._passes = restorer.passes
        self._processor = StreamProcessor(restorer)
        self._stopping = Event()

    @property
    def parameters(self) -> Parameters:
        return self._processor.parameters

    @parameters.setter
    def parameters(self, parameters: Parameters) -> None:
        self._processor.parameters = parameters

    def __enter__(self) -> Self:
        rate_hz, block_frames = self._device.sample_rate_hz, self._device.block_frames
        self._processor.prepare(rate_hz, block_frames)
        headroom = self._warm_up()
        self._bridge = Bridge(rate_hz, block_frames, self._processor.latency_frames, headroom)
        self._device.start(self._bridge.capture, self._bridge.playback, self._bridge.delay_frames)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="restore")
        self._work: Future[None] = self._executor.submit(self._restore_blocks)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._device.stop()
        finally:
            self._stopping.set()
            self._executor.shutdown()

    def run(self, on_progress: Callable[[SessionReport], None]) -> SessionReport:
        """Wait until the device finishes or the user interrupts; raises what ended the worker, if anything.

        `on_progress` gets a report about ten times a second.
        """
        try:
            while not self._device.finished.wait(REPORT_SECONDS):
                if self._work.done():
                    self._work.result()
                on_progress(self.report())
        except KeyboardInterrupt:
            pass  # the way to end a session
        return self.report()

    def report(self) -> SessionReport:
        stats = self._processor.stats
        return SessionReport(
            seconds=self._bridge.played_frames / self._device.sample_rate_hz,
            latency=self._latency(),
            real_time_factor_p50=stats.real_time_factor(50),
            real_time_factor_p95=stats.real_time_factor(95),
            passes_per_hop=self._passes,
            hops=stats.hops,
            dry_hops=stats.dry_hops,
            late_hops=stats.late_hops,
            dropouts=self._bridge.dropouts,
            device_overruns=self._device.overruns,
            last_error=stats.last_error,
        )

    def _latency(self) -> LatencyBudget:
        ms_per_frame = 1000.0 / self._device.sample_rate_hz
        return LatencyBudget(
            capture_ms=self._device.capture_ms,
            algorithm_ms=self._processor.latency_frames * ms_per_frame,
            compute_ms=self._bridge.headroom_frames * ms_per_frame,
            output_ms=self._device.output_ms,
        )

    def _warm_up(self) -> int:
        """Run the restorer until its speed is known; return the frames to set aside for computing a hop.

        A hop's duration is enough for any restorer that keeps up at all; the device's jitter comes on top.
        """
        stats, block_frames = self._processor.stats, self._device.block_frames
        silence = np.zeros(block_frames, np.float32)
        for hops in (1, WARM_UP_HOPS):  # the first one also sets up what libraries put off until used
            stats.clear()
            while stats.hops < hops:
                self._processor.process(silence)
        compute_ms = min(HEADROOM_FACTOR * stats.compute_ms(100), 1000.0 * stats.hop_seconds)
        self._processor.ladder.budget_seconds = compute_ms / 1000.0
        self._processor.reset()
        wanted_frames = (compute_ms + self._device.jitter_ms) * self._device.sample_rate_hz / 1000.0
        return block_frames * (1 + ceil(wanted_frames / block_frames))

    def _restore_blocks(self) -> None:
        while not self._stopping.is_set():
            block = self._bridge.take()
            if block is None:
                self._stopping.wait(POLL_SECONDS)
                continue
            overdue_frames = self._bridge.waiting_frames - self._bridge.headroom_frames
            self._processor.behind_seconds = overdue_frames / self._device.sample_rate_hz
            self._bridge.give(self._processor.process(block))
