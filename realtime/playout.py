"""Sound waits here until the listener's device asks for it."""

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.resample import Resampler, Varispeed
from realtime.ring import Ring, Samples

CAPACITY_SECONDS = 2.0
NONE_ASKED = 1 << 40


class Playout:
    """Takes sound at 44.1 kHz from one thread and gives it to a device, in its blocks, on another.

    What the device asks for that is not there is silence, and is never made up for: later sound keeps its
    time. Sound comes, goes and skips without a click. Only one that `is_steered` plays at another speed.
    """

    def __init__(self, rate_hz: int, block_frames: int, is_steered: bool) -> None:
        self.rate_hz = rate_hz
        self.asked = 0  # frames, by the device
        self.dropouts = 0
        self.least_spare_frames = (
            NONE_ASKED  # that still waited after a block was taken; reset by who reads it
        )
        self._varispeed = Varispeed(SAMPLE_RATE_HZ, rate_hz) if is_steered else None
        self._resampler = self._varispeed or Resampler(SAMPLE_RATE_HZ, rate_hz)
        self.delay_frames = self._resampler.delay_samples
        self._ring = Ring(round(CAPACITY_SECONDS * rate_hz))
        self._lead: int | None = None  # position in the ring of what was asked for first
        self._fetched: Samples = np.zeros(block_frames + 1, np.float32)
        self._fall = (0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, block_frames))).astype(np.float32)
        self._was: tuple[bool, int | None] = (False, None)
        self._last_sample = np.float32(0.0)

    # The thread that has the sound.

    def align(self, frames: int) -> None:
        """Have what is pushed next played once the device has asked for `frames` more; begins playing."""
        self._lead = self._ring.written - frames - self.asked

    def push(self, block: Samples) -> None:
        """Append float32 `block`."""
        self._ring.write(self._resampler.push(block))

    @property
    def is_started(self) -> bool:
        return self._lead is not None

    @property
    def is_steered(self) -> bool:
        return self._varispeed is not None

    def steer(self, rate_change: float) -> None:
        """Play faster by that fraction, or slower if it is negative, if this one is steered at all."""
        if self._varispeed is not None:
            self._varispeed.change(rate_change)

    def waiting_frames(self, asked: float) -> float:
        """How many frames wait to be asked for once the device has asked for `asked`."""
        return self._ring.written - asked - (self._lead or 0)

    def skip(self, frames: int) -> None:
        """Leave out `frames` of what waits; wait for that many more if negative."""
        self._lead = (self._lead or 0) + frames

    # The device's thread, which only copies memory.

    def playback(self, out: Samples) -> None:
        """Fill float32 `out`, one block, for the listener."""
        now = self._fetch()
        out[:] = self._fetched[1:]
        if now != self._was:  # bend the new sound so that it goes on where the old one ended
            out += (self._last_sample - self._fetched[0]) * self._fall
            np.clip(out, -1.0, 1.0, out=out)
        self._was, self._last_sample = now, out[-1]

    def _fetch(self) -> tuple[bool, int | None]:
        """Fetch the block to play and the sample before it; return what it continues seamlessly."""
        lead, count = self._lead, len(self._fetched) - 1
        start = self.asked + (lead or 0)
        self.asked += count
        ring = self._ring
        spare_frames = ring.written - start - count
        is_there = ring.oldest <= max(start - 1, 0) and spare_frames >= 0
        if lead is not None:
            self.least_spare_frames = min(self.least_spare_frames, spare_frames)
        if lead is not None and is_there:
            ring.read_into(start - 1, self._fetched)
            return True, lead
        self.dropouts += lead is not None
        self._fetched[:] = 0.0
        return False, None
