"""Keeps the time that sound spends in devices and buffers at what it was, whatever their clocks do."""

from collections import deque
from time import monotonic

from realtime.clock import DeviceClock, Steering
from realtime.playout import Playout

SKIP_SECONDS = 0.02  # a delay that is off by more is put right at once, by less unheard
STEERING_SECONDS = 0.05
REMEMBERED_BLOCKS = 300  # all of them after the clocks are known, before their delays are
MORE_CUSHION_SECONDS, MOST_CUSHION_SECONDS = 0.01, 0.1


class DelayKeeper:
    """Measures from the device's own times how late sound is heard, and steers `playout` to keep it so.

    Sound waits in `playout` for about `cushion_frames`, at its rate; for longer once that was too short. The
    device's delays are the longest of a few seconds, and from then on taken as they are.
    """

    def __init__(self, capture_rate_hz: int, playout: Playout, cushion_frames: int) -> None:
        self._capture_rate_hz, self._playout, self.cushion_frames = capture_rate_hz, playout, cushion_frames
        self._capture_clock, self._playback_clock = DeviceClock(capture_rate_hz), DeviceClock(playout.rate_hz)
        self._ages: deque[float] = deque(maxlen=REMEMBERED_BLOCKS)
        self._leads: deque[float] = deque(maxlen=REMEMBERED_BLOCKS)
        self._heard = self._asked = (0, 0.0)
        self._device_seconds: tuple[float, float] | None = None
        self._steering, self._steered_at = Steering(), 0.0
        self._dropouts = 0

    @property
    def is_keeping(self) -> bool:
        """Whether the device is known well enough to steer by."""
        return self._device_seconds is not None

    @property
    def capture_seconds(self) -> float:
        """From the microphone to the mixer."""
        return self._measured_or_frozen()[0]

    @property
    def output_seconds(self) -> float:
        """From the mixer to the listener."""
        return self.cushion_frames / self._playout.rate_hz + self._measured_or_frozen()[1]

    # The device's threads.

    def heard(self, frame: int, seconds_ago: float) -> None:
        self._heard = frame, monotonic() - seconds_ago
        self._ages.append(seconds_ago)

    def asked(self, frame: int, seconds_ahead: float) -> None:
        self._asked = frame, monotonic() + seconds_ahead
        self._leads.append(seconds_ahead)

    # The pump's thread.

    def keep(self, mixed_seconds: float) -> None:
        """Steer, now and then; `mixed_seconds` of what was captured have gone into `playout` by now."""
        self._capture_clock.tick(*self._heard)
        self._playback_clock.tick(*self._asked)
        now = monotonic()
        elapsed = now - self._steered_at
        if self._playout.varispeed is None or elapsed < STEERING_SECONDS:
            return
        self._steered_at = now
        if not (self._capture_clock.is_settled and self._playback_clock.is_settled):
            self._forget()
        elif min(len(self._ages), len(self._leads)) == REMEMBERED_BLOCKS:
            target_seconds, has_changed = self._target()
            self._steer(self._delay_seconds(now, mixed_seconds) - target_seconds, elapsed, has_changed)

    def _forget(self) -> None:
        self._device_seconds = None
        self._ages.clear()
        self._leads.clear()

    def _target(self) -> tuple[float, bool]:
        """What the delay should be, and whether that is new."""
        is_new, is_short = self._device_seconds is None, self._playout.dropouts > self._dropouts
        self._device_seconds, self._dropouts = self._measured_or_frozen(), self._playout.dropouts
        if is_short and not is_new:
            most_frames = round(MOST_CUSHION_SECONDS * self._playout.rate_hz)
            more_frames = round(MORE_CUSHION_SECONDS * self._playout.rate_hz)
            self.cushion_frames = min(self.cushion_frames + more_frames, most_frames)
        return self.capture_seconds + self.output_seconds, is_new or is_short

    def _delay_seconds(self, now: float, mixed_seconds: float) -> float:
        """How long ago the sound that is heard now was captured, its time in the mixer not counted."""
        playout = self._playout
        unmixed_seconds = self._capture_clock.frame_at(now) / self._capture_rate_hz - mixed_seconds
        waiting = playout.waiting_frames(self._playback_clock.frame_at(now)) + playout.delay_frames
        return unmixed_seconds + waiting / playout.rate_hz

    def _steer(self, excess_seconds: float, elapsed_seconds: float, at_once: bool) -> None:
        if at_once or abs(excess_seconds) > SKIP_SECONDS:
            waiting = self._playout.waiting_frames(self._playout.asked)
            self._playout.skip(min(round(excess_seconds * self._playout.rate_hz), round(waiting / 2)))
        elif self._playout.varispeed is not None:
            self._playout.varispeed.change(self._steering.rate_change(excess_seconds, elapsed_seconds))

    def _measured_or_frozen(self) -> tuple[float, float]:
        """The delays of the device; its times are too restless to go by the newest."""
        if self._device_seconds is not None:
            return self._device_seconds
        return max(list(self._ages), default=0.0), max(list(self._leads), default=0.0)
