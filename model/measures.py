"""Measures of restored speech that need nothing but numpy: spectral distance, output level, lost treble."""

import numpy as np
from numpy.typing import NDArray

from model.plan import SAMPLE_RATE_HZ

Audio = NDArray[np.float32]
_STFT_WINDOW, _STFT_HOP = 2048, 512
_POWER_FLOOR = 1e-8
TREBLE_HZ = 12_000


def log_spectral_distance(clean: Audio, restored: Audio) -> float:
    """Distance of log10 power spectra: root mean square over frequency, mean over frames (STFT 2048/512).

    `restored` is first brought to the level of `clean`, both float32[samples].
    """
    level = np.sqrt(np.mean(np.square(clean)) / max(float(np.mean(np.square(restored))), 1e-12))
    difference = _log_power(clean) - _log_power(restored * level)
    return float(np.mean(np.sqrt(np.mean(np.square(difference), axis=1))))


def level_change_db(before: Audio, after: Audio) -> float:
    """Power of `after` relative to `before` in dB, not below -120: how much of a noise was let through."""
    return _ratio_db(float(np.sum(np.square(after))), float(np.sum(np.square(before))))


def treble_change_db(clean: Audio, restored: Audio) -> float:
    """Energy above 12 kHz relative to the clean target's in dB, not below -120."""
    return _ratio_db(_treble_energy(restored), _treble_energy(clean))


def _log_power(audio: Audio) -> NDArray[np.float64]:
    padded = np.pad(audio.astype(np.float64), (_STFT_WINDOW // 2, _STFT_WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _STFT_WINDOW)[::_STFT_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_STFT_WINDOW), axis=1)))
    return np.log10(np.maximum(power, _POWER_FLOOR))


def _treble_energy(audio: Audio) -> float:
    first_bin = int(np.ceil(TREBLE_HZ * len(audio) / SAMPLE_RATE_HZ))
    return float(np.sum(np.square(np.abs(np.fft.rfft(audio)[first_bin:]))))


def _ratio_db(numerator: float, denominator: float) -> float:
    return 10 * np.log10(max(numerator / max(denominator, 1e-12), 1e-12))
