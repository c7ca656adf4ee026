"""Keeps the time that sound spends in buffers at what it was, whatever the clocks of the devices do."""

from collections import deque
from time import monotonic

import numpy as np

from realtime.clock import DeviceClock, Steering
from realtime.playout import NONE_ASKED, Playout

SKIP_SECONDS = 0.02  # a delay that is off by more is put right at once, by less unheard
FRESH_SKIP_SECONDS = 0.005  # the same until it was right for the first time
STEERING_SECONDS = 0.05
REMEMBERED_BLOCKS = 1000
MORE_CUSHION_SECONDS, MOST_MORE_SECONDS, MOST_CUSHION_SECONDS = 0.01, 0.05, 0.1
NEARLY_LATE_SECONDS = 0.005
GLIDE = 2e-4  # seconds a second: what steering follows, also where the clocks differ
CALM_SECONDS, MOST_CALM_SECONDS = 30.0, 480.0  # with sound always in good time, before less is tried


class DelayKeeper:
    """Measures how much sound waits between two devices, and steers `playout` to keep it so.

    It waits in `playout` for about `cushion_frames`, at its rate; for longer while that is nearly too short.
    The clocks are those by which blocks come and are asked for. What a device says of its own delay is told,
    but not steered by: a sound server corrects itself by tens of milliseconds in a stream's first seconds.
    """

    def __init__(self, capture_rate_hz: int, playout: Playout, cushion_frames: int) -> None:
        self._capture_rate_hz, self._playout = capture_rate_hz, playout
        self._capture_clock, self._playback_clock = DeviceClock(capture_rate_hz), DeviceClock(playout.rate_hz)
        self._clocks = self._capture_clock, self._playback_clock
        self._ages: deque[float] = deque(maxlen=REMEMBERED_BLOCKS)
        self._leads: deque[float] = deque(maxlen=REMEMBERED_BLOCKS)
        self._heard = self._asked = (0, 0.0)
        self._steering, self._steered_at = Steering(), 0.0
        self._has_been_right = False
        self._least_frames = cushion_frames
        more_frames = MOST_MORE_SECONDS * playout.rate_hz  # devices of low rates need much to begin with
        self._most_frames = max(MOST_CUSHION_SECONDS * playout.rate_hz, cushion_frames + more_frames)
        self._cushion_frames = self._wanted_frames = float(cushion_frames)
        self._dropouts, self._calm_since = 0, 0.0
        self._calm_seconds, self._has_tried_less = CALM_SECONDS, False

    @property
    def cushion_frames(self) -> int:
        return round(self._cushion_frames)

    @property
    def is_keeping(self) -> bool:
        """Whether the clocks are known well enough to steer by."""
        return all(clock.is_settled for clock in self._clocks)

    @property
    def capture_seconds(self) -> float:
        """From the microphone to the mixer."""
        return _usual(self._ages)

    @property
    def output_seconds(self) -> float:
        """From the mixer to the listener."""
        return self.cushion_frames / self._playout.rate_hz + _usual(self._leads)

    # The device's threads.

    def heard(self, frame: int, seconds_ago: float) -> None:
        self._heard = frame, monotonic()
        self._ages.append(seconds_ago)

    def asked(self, frame: int, seconds_ahead: float) -> None:
        self._asked = frame, monotonic()
        self._leads.append(seconds_ahead)

    # The pump's thread.

    def keep(self, mixed_seconds: float) -> None:
        """Steer, now and then; `mixed_seconds` of what was captured have gone into `playout` by now."""
        self._capture_clock.tick(*self._heard)
        self._playback_clock.tick(*self._asked)
        now = monotonic()
        elapsed = now - self._steered_at
        if not self._playout.is_steered or elapsed < STEERING_SECONDS:
            return
        self._steered_at = now
        if not self.is_keeping:
            self._has_been_right = False
            self._dropouts, self._calm_since = self._playout.dropouts, now
            self._playout.least_spare_frames = NONE_ASKED
        elif not any(clock.is_astray for clock in self._clocks):
            self._fit_cushion(now, elapsed)
            self._steer(self._waiting_seconds(now, mixed_seconds), elapsed)

    def _fit_cushion(self, now: float, elapsed_seconds: float) -> None:
        """Have sound wait for longer when some came too late, or nearly, and for less after a calm while.

        Where that was too little again, less is tried more and more seldom. Only where some did come too late
        does what follows wait for longer at once: all else is a glide that nobody hears.
        """
        playout = self._playout
        spare_seconds, playout.least_spare_frames = playout.least_spare_frames / playout.rate_hz, NONE_ASKED
        if playout.dropouts != self._dropouts:
            self._want_more(now)
            self._cushion_frames, self._has_been_right = self._wanted_frames, False
            self._dropouts = playout.dropouts
        elif abs(self._wanted_frames - self._cushion_frames) >= 1.0:
            self._calm_since = now  # gliding
        elif spare_seconds < NEARLY_LATE_SECONDS:
            self._want_more(now)
        elif now - self._calm_since > self._calm_seconds:
            self._has_tried_less |= self._wanted_frames > self._least_frames
            self._wanted_frames = max(self._wanted_frames - self._step_frames, self._least_frames)
            self._calm_since = now
        most_frames = GLIDE * elapsed_seconds * playout.rate_hz
        self._cushion_frames += float(
            np.clip(self._wanted_frames - self._cushion_frames, -most_frames, most_frames)
        )

    def _want_more(self, now: float) -> None:
        self._wanted_frames = min(self._wanted_frames + self._step_frames, self._most_frames)
        if self._has_tried_less:
            self._calm_seconds = min(2.0 * self._calm_seconds, MOST_CALM_SECONDS)
        self._has_tried_less, self._calm_since = False, now

    @property
    def _step_frames(self) -> float:
        return MORE_CUSHION_SECONDS * self._playout.rate_hz

    def _waiting_seconds(self, now: float, mixed_seconds: float) -> float:
        """How much sound waits to be asked for, that in the mixer not counted."""
        playout = self._playout
        unmixed_seconds = self._capture_clock.frame_at(now) / self._capture_rate_hz - mixed_seconds
        waiting = playout.waiting_frames(self._playback_clock.frame_at(now)) + playout.delay_frames
        return unmixed_seconds + waiting / playout.rate_hz

    def _steer(self, waiting_seconds: float, elapsed_seconds: float) -> None:
        playout = self._playout
        excess_seconds = waiting_seconds - self.cushion_frames / playout.rate_hz
        if abs(excess_seconds) > (SKIP_SECONDS if self._has_been_right else FRESH_SKIP_SECONDS):
            most_frames = round(playout.waiting_frames(playout.asked) / 2)
            playout.skip(min(round(excess_seconds * playout.rate_hz), most_frames))
            return
        self._has_been_right = True
        playout.steer(self._steering.rate_change(excess_seconds, elapsed_seconds))


def _usual(seconds: deque[float]) -> float:
    return float(np.median(list(seconds) or [0.0]))
