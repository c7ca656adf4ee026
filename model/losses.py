"""Spectral losses: of codec training (Kumar et al. 2023, RVQGAN, section 3.4) and of speech enhancement."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.plan import SAMPLE_RATE_HZ

_FLOOR_POWER = 5e-10  # of a spectrum: 65 dB below speech at the level that streams have
_TREBLE_HZ = 8000
_LEAST_HZ, _WAVES_HZ = 60, 5000  # between which the tokens of a codec tell phases
_LEVELS_HZ = 4000  # from where on they tell levels
_PHASES, _LEVELS = 0.6, 0.35  # shares in a loss; with less of phases, ESTOI and PESQ came out lower
_REGIONS = 16  # of the whole spectrum up to the sample rate, 2.8 kHz each
_STRETCH_SAMPLES = 16_384


def mel_filters(fft_size: int, bands: int) -> Tensor:
    """Triangular filters equally spaced on the mel scale, [fft_size // 2 + 1, bands], each summing to one."""
    mel_edges = np.linspace(0, 2595 * np.log10(1 + SAMPLE_RATE_HZ / 2 / 700), bands + 2)
    edges_hz = 700 * (10 ** (mel_edges / 2595) - 1)
    bins_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, fft_size // 2 + 1)[:, None]
    lower, centre, upper = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising, falling = (bins_hz - lower) / (centre - lower), (upper - bins_hz) / (upper - centre)
    weights = np.maximum(0, np.minimum(rising, falling))
    return torch.tensor(weights / np.maximum(weights.sum(axis=0), 1e-9), dtype=torch.float32)


class MultiScaleMelLoss(nn.Module):
    """Mean absolute difference of log10 mel magnitudes over several window lengths (same paper, table 6)."""

    def __init__(self, scales: dict[int, int], floor: float = 1e-2) -> None:
        """`scales` maps window lengths in samples to numbers of mel bands; hops are a quarter window."""
        super().__init__()
        self._scales, self._floor = scales, floor
        for size, bands in scales.items():
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
            self.register_buffer(f"filters_{size}", mel_filters(size, bands), persistent=False)

    def forward(self, estimate: Tensor, reference: Tensor, turn: int) -> Tensor:
        """Loss of two float32 signals [batch, samples], a scalar: that of one scale, for all of them.

        Which one it is goes by `turn`, since all at once take as many times as long.
        """
        size = list(self._scales)[turn % len(self._scales)]
        with torch.no_grad():
            wanted = self._log_mel(size, reference)
        return len(self._scales) * F.l1_loss(self._log_mel(size, estimate), wanted)

    def _log_mel(self, size: int, signal: Tensor) -> Tensor:
        window, filters = getattr(self, f"window_{size}"), getattr(self, f"filters_{size}")
        spectrum = torch.stft(signal, size, size // 4, window=window, return_complex=True)
        power = torch.view_as_real(spectrum).square().sum(-1)
        magnitude = (power + 1e-12).sqrt().transpose(1, 2)
        return (magnitude @ filters).clamp(min=self._floor).log10()


def limit_bands(audio: Tensor, bands_hz: Tensor) -> Tensor:
    """Take what lies above each row's frequency off `audio` [batch, samples].

    Applied to estimate and reference alike, it keeps a recording of less than full band from teaching that
    speech ends there.
    """
    frequencies_hz = torch.fft.rfftfreq(audio.shape[-1], 1 / SAMPLE_RATE_HZ, device=audio.device)
    kept = frequencies_hz <= bands_hz[:, None]
    return torch.fft.irfft(torch.fft.rfft(audio) * kept, audio.shape[-1])


def resynthesis_loss(estimate: Tensor, target: Tensor, window_samples: int) -> Tensor:
    """Errors of compressed spectra for a codec, whose tokens tell little of the waveform higher up; a scalar.

    Up to 5 kHz, of magnitudes and of values with their phases, each band of hearing counting alike; from
    4 kHz on, of the power around each bin, and of the energy of whole regions for a third of a second.
    Without that one, all would come out too soft: of what cannot be known, the likeliest level is lower than
    the mean.

    Args:
        estimate, target: float32 [batch, samples].
    """
    low, high = (round(hz / SAMPLE_RATE_HZ * window_samples) for hz in (_WAVES_HZ, _LEVELS_HZ))
    spectra = [_spectrum(signal, window_samples) for signal in (estimate, target)]
    shares = _shares_of_hearing(low, window_samples, estimate.device)
    pairs = zip(*(_compressed(spectrum[:, :low]) for spectrum in spectra), strict=True)
    magnitudes, values = ((shares @ (found - wanted).abs().flatten(2)).mean() for found, wanted in pairs)
    powers = [spectrum[:, high:].square().sum(-1) + _FLOOR_POWER for spectrum in spectra]
    found, wanted = (_around(power, max(2, window_samples // 256)) ** 0.15 for power in powers)
    frames = min(powers[0].shape[-1], 4 * _STRETCH_SAMPLES // window_samples)
    regions = (window_samples // _REGIONS, frames)
    found_energy, energy = (F.avg_pool2d(power, regions).log10() for power in powers)
    levels = F.l1_loss(found, wanted) + 0.1 * F.l1_loss(found_energy, energy)
    return torch.lerp(magnitudes, values, _PHASES) + _LEVELS * levels


def _shares_of_hearing(bins: int, window_samples: int, device: torch.device) -> Tensor:
    """What part each of the lowest `bins` has in hearing, float32 [bins], in all 1.

    By the width of the ear's bands there (Glasberg and Moore 1990, equivalent rectangular bandwidth).
    """
    hz = torch.arange(bins, device=device) * SAMPLE_RATE_HZ / window_samples
    shares = (hz > _LEAST_HZ) / (1 + 4.37e-3 * hz)
    return shares / shares.sum()


def enhancement_loss(
    estimate: Tensor, target: Tensor, window_samples: int, loss_of_speech: float = 2.5
) -> Tensor:
    """Squared errors of compressed spectra, a scalar.

    Up to 8 kHz, of magnitudes alone and with their phase (Braun and Tashev 2021, A consolidated view of loss
    functions for supervised deep learning-based speech enhancement: the power 0.3, and the share 0.3 of the
    errors with phase). Too small a magnitude costs more than one as much too large, since words are lost with
    it (the asymmetric loss of Wang et al. 2020, VoiceFilter-Lite). Above, the ear hears how loud speech is,
    whatever its phase: of the power around each bin, so that noise may stand for what cannot be known.

    Args:
        estimate, target: float32 [batch, samples].
        loss_of_speech: what it costs to take some of it away, over what it costs to leave as much noise.
    """
    treble = round(_TREBLE_HZ / SAMPLE_RATE_HZ * window_samples)
    views = zip(*(_views(signal, window_samples, treble) for signal in (estimate, target)), strict=True)
    (found, wanted), *others = views
    error = found - wanted
    magnitudes = torch.where(error < 0, loss_of_speech, 1.0).mul(error.square()).mean()
    values, powers = (F.mse_loss(found, wanted) for found, wanted in others)
    return torch.lerp(torch.lerp(magnitudes, 2 * values, 0.3), powers, 1 - treble / (window_samples / 2))


def _views(signal: Tensor, window_samples: int, treble: int) -> tuple[Tensor, Tensor, Tensor]:
    """Compressed: magnitudes and values of the bins below `treble`, and powers around those above."""
    spectrum = _spectrum(signal, window_samples)
    powers = spectrum[:, treble:].square().sum(-1) + _FLOOR_POWER
    return *_compressed(spectrum[:, :treble]), _around(powers, window_samples // 128) ** 0.15


def _compressed(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitudes to the power of 0.3, and values of these magnitudes."""
    power = spectrum.square().sum(-1) + _FLOOR_POWER
    magnitude = power**0.15
    return magnitude, spectrum * (magnitude * power.rsqrt())[..., None]


def _spectrum(signal: Tensor, window_samples: int) -> Tensor:
    """Pairs of real and imaginary parts, [batch, bins, frames, 2], of magnitudes that no window changes."""
    return torch.view_as_real(
        torch.stft(
            signal,
            window_samples,
            window_samples // 4,
            window=torch.hann_window(window_samples, device=signal.device),
            center=False,
            normalized=True,
            return_complex=True,
        )
    )


def _around(powers: Tensor, bins: int) -> Tensor:
    """Means over so many `bins`, half of them shared with the next mean, and three frames."""
    return F.avg_pool2d(powers, (bins, 3), (bins // 2, 1))
