"""Moves sound from a device to the mixer and from the mixer to the device."""

from contextlib import ExitStack
from math import ceil
from threading import Event
from types import TracebackType
from typing import Self

from model.plan import SAMPLE_RATE_HZ
from realtime.audio_device import AudioDevice
from realtime.delay_keeper import DelayKeeper
from realtime.limiter import without_wild_numbers
from realtime.mixer import BLOCK_FRAMES, Mixer
from realtime.monitor import Monitor
from realtime.playout import Playout
from realtime.processes import urgent_threads
from realtime.resample import Resampler
from realtime.ring import Ring, Samples
from realtime.signal_tap import SignalTap
from realtime.threads import in_background

POLL_SECONDS = 0.002
CAPTURED_SECONDS = 1.0
TURN_SECONDS = 0.025  # by which the turn of a thread may come late
LATE_SECONDS = 0.25  # a delay that is off by more is put right without waiting for the clocks to settle


class Pump:
    """Runs `device` while the context is open: what it hears goes to `noisy`, what `mixer` gives is played.

    The device's callbacks only copy memory; a thread of the pump's own does the rest. What is played was
    heard `mixer.delay`, `keeper.capture_seconds` and `keeper.output_seconds` before.
    """

    def __init__(
        self,
        device: AudioDevice,
        noisy: Ring,
        mixer: Mixer,
        tap: SignalTap | None = None,
        monitor: Monitor | None = None,
    ) -> None:
        self._device, self._noisy, self._mixer = device, noisy, mixer
        self._tap, self._monitor = tap, monitor
        self._captured = Ring(round(CAPTURED_SECONDS * device.capture_rate_hz))
        self._taken = self._left_out = 0  # frames
        self._resampler = Resampler(device.capture_rate_hz, SAMPLE_RATE_HZ)
        self._playout = Playout(
            device.playback_rate_hz, device.playback_block_frames, is_steered=not device.has_one_clock
        )
        self.keeper = DelayKeeper(device.capture_rate_hz, self._playout, self._frames_to_wait())
        self._first_position = noisy.written

    @property
    def played_seconds(self) -> float:
        return self._playout.asked / self._playout.rate_hz

    @property
    def dropouts(self) -> int:
        """Blocks that went out silent because there was nothing to play."""
        return self._playout.dropouts

    @property
    def device_overruns(self) -> int:
        return self._device.overruns

    def __enter__(self) -> Self:
        delay_seconds = (
            self._mixer.delay.frames / SAMPLE_RATE_HZ + self.keeper.cushion_frames / self._playout.rate_hz
        )
        self._mixer.position = self._first_position
        with ExitStack() as opening, urgent_threads():
            self._device.start(self._capture, self._playback, delay_seconds)
            opening.callback(self._device.stop)
            if not self._device.has_one_clock:
                opening.enter_context(in_background(self._run, "pump"))
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def _frames_to_wait(self) -> int:
        """How long sound has to wait at least so as to be there whenever it is asked for."""
        playout = self._playout
        ahead = (BLOCK_FRAMES + self._resampler.delay_samples) / SAMPLE_RATE_HZ + TURN_SECONDS
        return ceil(ahead * playout.rate_hz) + playout.delay_frames

    # The device's threads.

    def _capture(self, block: Samples, seconds_ago: float) -> None:
        self.keeper.heard(self._captured.written, seconds_ago)
        self._captured.write(block)
        if self._device.has_one_clock:
            self._move()

    def _playback(self, out: Samples, seconds_ahead: float) -> None:
        self.keeper.asked(self._playout.asked, seconds_ahead)
        self._playout.playback(out)

    # The pump's thread.

    def _run(self, stopping: Event) -> None:
        while not stopping.wait(POLL_SECONDS):
            self._move()

    def _move(self) -> None:
        """Move what there is."""
        heard = self._take()
        if not len(heard):
            return
        self._noisy.write(without_wild_numbers(self._resampler.push(heard)))
        self._align()
        while (mix := self._mixer.mix()) is not None:
            self._playout.push(mix.output)
            if self._tap is not None:
                self._tap.write(mix)
            if self._monitor is not None:
                self._monitor.push(mix.output)
        mixed_seconds = (self._mixer.position - self._first_position) / SAMPLE_RATE_HZ
        self.keeper.keep(mixed_seconds + self._left_out / self._device.capture_rate_hz)

    def _take(self) -> Samples:
        """What was captured since the last time, or the newest of it when that is long ago."""
        ring = self._captured
        written = ring.written
        start = max(self._taken, written - ring.capacity // 2)
        self._left_out += start - self._taken
        self._taken = written
        return ring.read(start, written - start)

    def _align(self) -> None:
        playout = self._playout
        waiting = playout.waiting_frames(playout.asked)
        is_off = abs(waiting - self.keeper.cushion_frames) > LATE_SECONDS * playout.rate_hz
        has_run_out = waiting < 0 and not self.keeper.is_keeping
        if not playout.is_started or is_off or has_run_out:
            playout.align(self.keeper.cushion_frames)
