"""What is expected to follow restored sound: it is heard where the sound itself comes too late."""

from dataclasses import dataclass, field

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.mailbox import Mailbox
from realtime.ring import Ring, Samples

LONGEST_FRAMES = SAMPLE_RATE_HZ // 4


@dataclass(frozen=True)
class Continuation:
    """Float32 `samples` of a stream, up to `LONGEST_FRAMES`, from `position` on."""

    position: int = 0
    samples: Samples = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def end(self) -> int:
        return self.position + len(self.samples)

    def covers(self, start: int, end: int) -> bool:
        return self.position <= start and end <= self.end

    def between(self, start: int, end: int) -> Samples:
        return self.samples[start - self.position : end - self.position]


class RestoredSound:
    """What is in `ring` and, as long as that is late, what the newest of `continuations` says would follow.

    Positions are those of `ring`. For one reader, who goes through the stream in order.
    """

    def __init__(self, ring: Ring, continuations: Mailbox[Continuation]) -> None:
        self._ring, self._continuations = ring, continuations
        self.bridged = 0  # readings of what was not there in time
        self._before = Continuation()  # with which the last reading ended, if it was not there in time

    @property
    def begin(self) -> int:
        return self._ring.begin

    def has(self, start: int, count: int) -> bool:
        continuation, written, end = self._continuation(), self._ring.written, start + count
        is_there = end <= written or continuation.covers(max(start, written), end)
        return is_there and start >= self._ring.oldest

    def read(self, start: int, count: int) -> Samples:
        """Float32 [count] of what it `has`. Out of what was expected, it fades into what is there again."""
        continuation, written, end = self._continuation(), self._ring.written, start + count
        turn = min(max(start, written), end)
        sound = np.empty(count, np.float32)
        sound[turn - start :] = continuation.between(turn, end)
        if turn > start:
            self._ring.read_into(start, sound[: turn - start])
        if self._before.covers(start, end):
            sound += (self._before.between(start, end) - sound) * np.linspace(1, 0, count, dtype=np.float32)
        self._before = continuation if turn < end else Continuation()
        self.bridged += turn < end
        return sound

    def _continuation(self) -> Continuation:
        """The newest, if it is of the stream that goes on."""
        newest = self._continuations.get()
        return newest if newest.position >= self._ring.begin else Continuation()
