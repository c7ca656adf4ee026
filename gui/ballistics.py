"""How a level meter moves: quick up, slow down, the highest peak and clipping held for a while."""

from dataclasses import dataclass

import numpy as np

from realtime.ring import Samples

FLOOR_DBFS = -120.0
FALL_DB_PER_SECOND = 20.0 / 1.7  # of the peak: type I of IEC 60268-10
RMS_SECONDS = 0.3  # time constant, as a VU meter's
PEAK_HOLD_SECONDS = 1.5
CLIP_HOLD_SECONDS = 5.0
CLIP_LEVEL = 32767 / 32768  # the highest sample of 16 bit


@dataclass(frozen=True)
class Level:
    """What a meter shows, in dB of full scale: a sine of amplitude 1 has peak 0 and RMS -3."""

    peak_dbfs: float = FLOOR_DBFS
    rms_dbfs: float = FLOOR_DBFS
    held_peak_dbfs: float = FLOOR_DBFS
    clipped: bool = False


class MeterBallistics:
    """Follows the level of one signal that comes in blocks of any size."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._peak_dbfs = self._held_dbfs = FLOOR_DBFS
        self._mean_square = 0.0
        self._held_seconds = self._clipped_seconds = float("inf")  # since the newest of each

    def push(self, samples: Samples) -> Level:
        """Follow float32 [n]; return where the meter now stands."""
        if len(samples):
            self._follow(samples, len(samples) / self._sample_rate_hz)
        return Level(
            peak_dbfs=self._peak_dbfs,
            rms_dbfs=max(FLOOR_DBFS, 10.0 * float(np.log10(self._mean_square + 1e-30))),
            held_peak_dbfs=self._held_dbfs,
            clipped=self._clipped_seconds < CLIP_HOLD_SECONDS,
        )

    def _follow(self, samples: Samples, seconds: float) -> None:
        peak = float(np.abs(samples).max())
        peak_dbfs = max(FLOOR_DBFS, 20.0 * float(np.log10(peak + 1e-15)))
        self._peak_dbfs = max(peak_dbfs, self._peak_dbfs - FALL_DB_PER_SECOND * seconds)
        self._hold(seconds)
        share = float(np.exp(-seconds / RMS_SECONDS))
        mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
        self._mean_square = share * self._mean_square + (1.0 - share) * mean_square
        self._clipped_seconds = 0.0 if peak >= CLIP_LEVEL else self._clipped_seconds + seconds

    def _hold(self, seconds: float) -> None:
        self._held_seconds += seconds
        if self._peak_dbfs >= self._held_dbfs or self._held_seconds > PEAK_HOLD_SECONDS:
            self._held_dbfs, self._held_seconds = self._peak_dbfs, 0.0
