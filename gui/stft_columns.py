"""The spectrum of a running signal: one column of decibels for each hop."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from realtime.ring import Samples

TOP_HZ = 22_050.0
WINDOW_SECONDS = 2048 / 44_100
HOP_SECONDS = 512 / 44_100
FLOOR_DB = -140.0  # of a full-scale sine
TINY = np.float32(1e-9)

Decibels = NDArray[np.float32]


class StftColumns:
    """Cuts a signal that comes in blocks of any size into windows and measures each in `rows` bands.

    The bands are equally wide and reach from 0 to TOP_HZ at every sample rate; a band holds its loudest
    bin. A full-scale sine reads 0 dB.
    """

    def __init__(self, sample_rate_hz: int, rows: int) -> None:
        window_samples = round(WINDOW_SECONDS * sample_rate_hz)
        self.hop_samples = round(HOP_SECONDS * sample_rate_hz)
        self._window = np.hanning(window_samples + 1)[:-1].astype(np.float32)
        self._window *= 2.0 / self._window.sum()
        self._rest: Samples = np.zeros(window_samples - self.hop_samples, np.float32)
        bins_per_hz = window_samples / sample_rate_hz
        first_bins = np.round(np.arange(rows) * TOP_HZ / rows * bins_per_hz).astype(int)
        self._first_bins = first_bins[first_bins <= window_samples // 2]
        self._bins = 1 + min(window_samples // 2, round(TOP_HZ * bins_per_hz))
        self._rows = rows

    def push(self, samples: Samples) -> Decibels:
        """float32 [n] -> float32 [columns that are complete now, rows], the lowest band first."""
        signal = np.concatenate((self._rest, samples))
        count = max(0, 1 + (len(signal) - len(self._window)) // self.hop_samples)
        self._rest = signal[count * self.hop_samples :]
        columns = np.full((count, self._rows), FLOOR_DB, np.float32)
        if count:
            windows = sliding_window_view(signal, len(self._window))[:: self.hop_samples]
            columns[:, : len(self._first_bins)] = self._decibels(windows)
        return columns

    def _decibels(self, windows: Samples) -> Decibels:
        magnitudes = np.abs(np.fft.rfft(windows * self._window)[:, : self._bins])
        bands = np.maximum.reduceat(magnitudes, self._first_bins, axis=1)
        return np.maximum(20.0 * np.log10(bands + TINY), FLOOR_DB)
