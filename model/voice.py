"""Other voices out of those recorded: faster and slower, higher and lower, of longer and shorter throats."""

from collections.abc import Callable

import numpy as np
import soxr
import torch

from model.arrays import FloatArray
from model.plan import SAMPLE_RATE_HZ

Speak = Callable[[int, np.random.Generator], tuple[FloatArray, int]]  # gives float32 speech, and its band
_OCTAVES = 0.25  # faster and higher by up to 19 %, or slower and lower by up to 16 %
_LONGEST, _SHORTEST = 0.87, 1.15  # throats: how much higher formants lie
_FORMANTS_HZ = 5000  # above, they are moved less and less
_WINDOW, _HOP = 1024, 256
_PITCH_QUEFRENCY = 80  # samples: periods of voices below 550 Hz are longer, formants vary more slowly


def vary_voice(speak: Speak, samples: int, rng: np.random.Generator) -> tuple[FloatArray, int]:
    """`samples` of the speech that `speak(samples, rng)` gives, as if others had spoken, and its band in Hz.

    Playing it faster raises tempo, pitch and formants; moving the formants sets them apart from the others.
    """
    speed = 2 ** rng.uniform(-_OCTAVES, _OCTAVES)
    speech, band_hz = speak(int(np.ceil(samples * speed)) + 1, rng)
    faster = soxr.resample(speech, speed * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ)[:samples]
    return move_formants(faster, rng.uniform(_LONGEST, _SHORTEST)), round(speed * band_hz)


def move_formants(speech: FloatArray, factor: float) -> FloatArray:
    """Have the formants of float32[samples] lie `factor` times as high, at the pitch that it has.

    The map of frequencies is that of Jaitly and Hinton (2013, Vocal tract length perturbation improves speech
    recognition), and the spectral envelope a cepstrum without its quick part.
    """
    window = torch.hann_window(_WINDOW)
    spectrum = torch.stft(torch.from_numpy(speech), _WINDOW, _HOP, window=window, return_complex=True)
    cepstrum = torch.fft.irfft((spectrum.abs() + 1e-6).log(), dim=0)
    cepstrum[_PITCH_QUEFRENCY:-_PITCH_QUEFRENCY] = 0.0
    envelope = torch.fft.rfft(cepstrum, dim=0).real
    bins = np.arange(len(envelope))
    knee = _FORMANTS_HZ / SAMPLE_RATE_HZ * _WINDOW
    sources = torch.from_numpy(np.interp(bins, (0, knee * factor, bins[-1]), (0, knee, bins[-1])))
    lower = sources.long().clamp(max=bins[-1] - 1)
    moved = torch.lerp(envelope[lower], envelope[lower + 1], (sources - lower).float()[:, None])
    gain = (moved - envelope).exp()
    return torch.istft(spectrum * gain, _WINDOW, _HOP, window=window, length=len(speech)).numpy()
