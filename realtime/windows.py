"""Cuts a stream into the overlapping windows a restorer works on."""

from collections.abc import Iterator

from model.plan import FRAME_SAMPLES, WindowPlan
from realtime.ring import Ring, Samples


class WindowCutter:
    """Window n covers samples `n * hop - context` to `n * hop + hop + lookahead`; zeros before the start."""

    def __init__(self, plan: WindowPlan) -> None:
        self._plan = plan
        self._context_samples = plan.context_frames * FRAME_SAMPLES
        self._ring = Ring(plan.window_samples + plan.hop_samples)
        self._next_hop = 0  # position of the first sample of the next hop

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Take float32 `samples` at 44.1 kHz in; yield each window that became complete, oldest first."""
        plan, hop = self._plan, self._plan.hop_samples
        for start in range(0, len(samples), hop):
            self._ring.write(samples[start : start + hop])
            if self._ring.written >= self._next_hop + hop + plan.lookahead_samples:
                yield self._ring.read(self._next_hop - self._context_samples, plan.window_samples)
                self._next_hop += hop

    def reset(self) -> None:
        """Return to the start of a stream."""
        self._ring.restart()
        self._next_hop = 0
