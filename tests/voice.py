"""A synthetic voice: enough like speech for the judges to treat it as such."""

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from model.plan import SAMPLE_RATE_HZ

Audio = NDArray[np.float32]
_VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))


def voice(duration_s: float = 3.0, pitch_hz: float = 120.0, seed: int = 0) -> Audio:
    """Syllables of a wandering pitch, each a vowel that a hiss begins: float32[samples] at 44.1 kHz."""
    rng = np.random.default_rng(seed)
    syllables = [_syllable(rng, pitch_hz) for _ in range(int(duration_s / 0.25))]
    audio = np.concatenate(syllables)
    return (0.3 * audio / np.max(np.abs(audio))).astype(np.float32)


def _syllable(rng: np.random.Generator, pitch_hz: float) -> NDArray[np.float64]:
    samples, hiss_samples = SAMPLE_RATE_HZ // 4, SAMPLE_RATE_HZ // 16
    rise = np.linspace(1.0, rng.uniform(0.85, 1.15), samples)
    phase = np.cumsum(pitch_hz * rng.uniform(0.9, 1.1) * rise / SAMPLE_RATE_HZ)
    sound = np.diff(np.floor(phase), prepend=0.0) + 0.002 * rng.standard_normal(samples)
    for formant_hz in _VOWELS_HZ[rng.integers(len(_VOWELS_HZ))]:
        b, a = scipy.signal.iirpeak(formant_hz, 8.0, fs=SAMPLE_RATE_HZ)
        sound = sound + 4.0 * scipy.signal.lfilter(b, a, sound)
    sound *= np.hanning(samples) ** 0.5 * rng.uniform(0.3, 1.0)
    sound[:hiss_samples] += 0.05 * np.hanning(hiss_samples) * np.diff(rng.standard_normal(hiss_samples + 1))
    return np.concatenate((sound[: samples * 4 // 5], np.zeros(samples // 5)))
