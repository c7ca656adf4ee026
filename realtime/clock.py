"""Two devices have two clocks: how late sound really is, and how to keep it so. Arithmetic only, no audio."""

from math import pi, sqrt

import numpy as np

SETTLING_SECONDS = 2.0  # a sound server may change its buffers in the first one
SETTLING_HZ, SETTLED_HZ = 1.0, 0.1  # bandwidths: slower changes are a clock's, faster ones are jitter;
SETTLING_TURNS = 2.0  # in between it is that many over the seconds for which the clock is known
JUMP_SECONDS = 0.02  # a clock that is off by more has stopped or been set,
STRAY_SECONDS = 0.2  # if it stays so; else the thread that looked at it came late
PROPORTIONAL = 0.08  # change of rate for each second that sound is too late, in 1/s
INTEGRAL = PROPORTIONAL**2 / 4  # critical damping
MAX_RATE_CHANGE = 4.5e-4  # heard as a change of pitch by less than 0.05 %


class DeviceClock:
    """Tells which frame a device brings or asks for at any time, from when it did so with single ones.

    A delay-locked loop, after F. Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005. The
    frames are counted by the caller; the seconds are those of any one clock.
    """

    def __init__(self, rate_hz: float) -> None:
        self._nominal_seconds = 1.0 / rate_hz
        self._frame: int | None = None
        self._at = self._since = 0.0
        self._seconds_per_frame = self._nominal_seconds
        self.is_astray = False  # whether the newest time was far from what was expected

    @property
    def is_settled(self) -> bool:
        return self._frame is not None and self._at - self._since >= SETTLING_SECONDS

    def tick(self, frame: int, at_seconds: float) -> None:
        """Learn when it was at `frame`; frames that are not newer and stray times teach nothing."""
        if self._frame is None:
            self._restart(frame, at_seconds)
        frames = frame - (self._frame or 0)
        if frames <= 0:
            return
        expected = self._at + frames * self._seconds_per_frame
        error = at_seconds - expected
        self.is_astray = abs(error) > JUMP_SECONDS
        if self.is_astray:
            if expected - self._at > STRAY_SECONDS:
                self._restart(frame, at_seconds)
            return
        omega = min(2 * pi * self._bandwidth_hz() * frames * self._seconds_per_frame, 1.0)
        self._at = expected + sqrt(2) * omega * error
        self._seconds_per_frame += omega**2 * error / frames
        self._frame = frame

    def frame_at(self, seconds: float) -> float:
        """The frame that is due at that time. Not before the first tick."""
        return (self._frame or 0) + (seconds - self._at) / self._seconds_per_frame

    def _bandwidth_hz(self) -> float:
        known_seconds = max(self._at - self._since, SETTLING_SECONDS)
        return min(max(SETTLING_TURNS / known_seconds, SETTLED_HZ), SETTLING_HZ)

    def _restart(self, frame: int, at_seconds: float) -> None:
        self._frame, self._at, self._since = frame, at_seconds, at_seconds
        self._seconds_per_frame = self._nominal_seconds


class Steering:
    """Chooses how much faster than nominal to take sound so that its delay stays: a PI controller."""

    def __init__(self) -> None:
        self._drift = 0.0  # what the clocks were found to differ by

    def rate_change(self, excess_seconds: float, elapsed_seconds: float) -> float:
        """The change of rate, a fraction of it, for sound that is `excess_seconds` too late now.

        `elapsed_seconds` is the time since the last call.
        """
        change = PROPORTIONAL * excess_seconds + self._drift
        if abs(change) < MAX_RATE_CHANGE:  # what is put right as fast as may be says nothing about the clocks
            self._drift += INTEGRAL * excess_seconds * elapsed_seconds
        return float(np.clip(change, -MAX_RATE_CHANGE, MAX_RATE_CHANGE))
