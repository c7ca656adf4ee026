"""What a running stream measures about itself."""

from dataclasses import dataclass

import numpy as np

HISTORY_HOPS = 4096


@dataclass(frozen=True)
class LatencyBudget:
    """Where the delay between microphone and listener comes from."""

    capture_ms: float
    algorithm_ms: float
    compute_ms: float
    output_ms: float

    @property
    def total_ms(self) -> float:
        return self.capture_ms + self.algorithm_ms + self.compute_ms + self.output_ms


class Stats:
    """Counts hops and remembers how long the newest `HISTORY_HOPS` restored ones took.

    `dry_hops` went out unrestored, `late_hops` took longer than they last. `last_error` says why the newest
    dry hop was dry.
    """

    def __init__(self, hop_seconds: float) -> None:
        self.hop_seconds = hop_seconds
        self._compute_seconds = np.zeros(HISTORY_HOPS)
        self.clear()

    def clear(self) -> None:
        """Start counting anew."""
        self.restored_hops = 0
        self.dry_hops = 0
        self.late_hops = 0
        self.last_error: str | None = None

    @property
    def hops(self) -> int:
        return self.restored_hops + self.dry_hops

    def record_restored_hop(self, compute_seconds: float) -> None:
        self._compute_seconds[self.restored_hops % HISTORY_HOPS] = compute_seconds
        self.restored_hops += 1
        self.late_hops += compute_seconds > self.hop_seconds

    def record_dry_hop(self, error: str) -> None:
        """Count a hop that goes out unrestored because of `error`."""
        self.dry_hops += 1
        self.last_error = error

    def compute_ms(self, percentile: float) -> float:
        """Compute time that `percentile` per cent of the remembered hops stay within; 0 before any."""
        remembered = self._compute_seconds[: min(self.restored_hops, HISTORY_HOPS)]
        return float(np.percentile(remembered, percentile)) * 1000.0 if len(remembered) else 0.0

    def real_time_factor(self, percentile: float) -> float:
        """Compute time per hop over the duration of a hop: below 1 keeps up."""
        return self.compute_ms(percentile) / (self.hop_seconds * 1000.0)
