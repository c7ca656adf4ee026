"""Joins without clicks: neighbouring hops, and changes of gain."""

import numpy as np

from realtime.ring import Samples


class Crossfade:
    """Joins hops whose beginnings were already guessed at by the hop before.

    Each piece ends with `fade_samples` that overlap the next piece. The two are versions of the same
    sound and add up coherently, so the fade keeps the sum of the gains, not of the powers, at one.
    """

    def __init__(self, fade_samples: int) -> None:
        self._fade_samples = fade_samples
        phase = (np.arange(fade_samples) + 0.5) / max(fade_samples, 1)
        self._rise: Samples = (0.5 - 0.5 * np.cos(np.pi * phase)).astype(np.float32)
        self._tail: Samples | None = None

    def join(self, piece: Samples) -> Samples:
        """Take float32 [hop + fade_samples]; return the finished hop, float32 [hop]."""
        end = len(piece) - self._fade_samples
        hop, tail = piece[:end].copy(), piece[end:].copy()
        if self._tail is not None:
            start = hop[: self._fade_samples]
            start += (self._tail - start) * (1.0 - self._rise)
        self._tail = tail
        return hop

    def reset(self) -> None:
        """Return to the start of a stream: the next piece begins unfaded."""
        self._tail = None


class GainRamp:
    """A gain that moves to each new target along a straight line of `ramp_samples`."""

    def __init__(self, ramp_samples: int, gain: float) -> None:
        self._ramp_samples = ramp_samples
        self.jump(gain)

    def jump(self, gain: float) -> None:
        """Take `gain` at once."""
        self._start = self._target = self._gain = gain
        self._elapsed = self._ramp_samples

    def advance(self, target: float, count: int) -> Samples:
        """The next `count` gains on the way to `target`, float32."""
        if target != self._target:
            self._start, self._target, self._elapsed = self._gain, target, 0
        steps = np.arange(self._elapsed + 1, self._elapsed + count + 1)
        progress = np.minimum(steps / self._ramp_samples, 1.0)
        gains = self._start * (1.0 - progress) + self._target * progress
        self._elapsed = min(self._elapsed + count, self._ramp_samples)
        self._gain = float(gains[-1]) if count else self._gain
        return gains.astype(np.float32)
