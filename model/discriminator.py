"""The critic of codec training: spectrogram and period discriminators, small enough for a CPU.

Both follow Kumar et al. 2023 (RVQGAN), 3.3, with fewer channels and without the split into bands.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

FeatureMaps = list[Tensor]  # of each layer, the last one being the verdict


def _conv(inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int]) -> nn.Module:
    padding = (kernel[0] // 2, kernel[1] // 2)
    return weight_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding))


class _Stack(nn.Module):
    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> FeatureMaps:
        maps = []
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), 0.1)
            maps.append(x)
        return [*maps, self.layers[-1](x)]


class SpectrogramDiscriminator(nn.Module):
    """Judges the complex STFT [batch, 2, frames, bins] of one window length."""

    def __init__(self, window_samples: int, channels: int) -> None:
        super().__init__()
        self._size = window_samples
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(window_samples), persistent=False)
        c = channels
        self.stack = _Stack(
            [
                _conv(2, c, (3, 9), (1, 2)),
                _conv(c, c, (3, 9), (1, 2)),
                _conv(c, 2 * c, (3, 9), (1, 2)),
                _conv(2 * c, 2 * c, (3, 3), (1, 1)),
                _conv(2 * c, 1, (3, 3), (1, 1)),
            ]
        )

    def forward(self, signal: Tensor) -> FeatureMaps:
        spectrum = torch.stft(signal, self._size, self._size // 4, window=self.window, return_complex=True)
        compressed = torch.view_as_real(spectrum) * (spectrum.abs()[..., None] + 1e-4) ** -0.5
        image = compressed.permute(0, 3, 2, 1)
        return self.stack(image.to(memory_format=torch.channels_last))


class PeriodDiscriminator(nn.Module):
    """Judges the waveform folded to rows of `period` samples."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self._period = period
        c = channels
        self.stack = _Stack(
            [
                _conv(1, c, (5, 1), (3, 1)),
                _conv(c, 2 * c, (5, 1), (3, 1)),
                _conv(2 * c, 4 * c, (5, 1), (3, 1)),
                _conv(4 * c, 4 * c, (5, 1), (1, 1)),
                _conv(4 * c, 1, (3, 1), (1, 1)),
            ]
        )

    def forward(self, signal: Tensor) -> FeatureMaps:
        padded = F.pad(signal, (0, -signal.shape[-1] % self._period))
        image = padded.view(len(signal), 1, -1, self._period)
        return self.stack(image.to(memory_format=torch.channels_last))


class Discriminator(nn.Module):
    """One spectrogram and one period discriminator judge at a time; the others take their turns."""

    def __init__(self, windows_samples: Sequence[int], periods: Sequence[int], channels: int) -> None:
        super().__init__()
        self.spectral = nn.ModuleList(SpectrogramDiscriminator(size, channels) for size in windows_samples)
        self.periodic = nn.ModuleList(PeriodDiscriminator(period, channels) for period in periods)

    def forward(self, signal: Tensor, turn: int) -> list[FeatureMaps]:
        """Of float32 signals [batch, samples]. Who judges goes by `turn`: all cost as many times more."""
        kinds = [kind for kind in (self.spectral, self.periodic) if kind]
        return [kind[turn % len(kind)](signal) for kind in kinds]


def discriminator_loss(real: list[FeatureMaps], fake: list[FeatureMaps]) -> Tensor:
    """Least-squares loss that pulls real verdicts to one and fake ones to zero; a scalar."""
    terms = [
        (1 - r[-1].float()).square().mean() + f[-1].float().square().mean()
        for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(terms).mean()


def adversarial_loss(fake: list[FeatureMaps]) -> Tensor:
    """How far the verdicts on the generator's output are from one; a scalar."""
    return torch.stack([(1 - maps[-1].float()).square().mean() for maps in fake]).mean()


def feature_loss(real: list[FeatureMaps], fake: list[FeatureMaps]) -> Tensor:
    """Mean absolute difference of all inner feature maps; a scalar."""
    pairs = [(a, b) for r, f in zip(real, fake, strict=True) for a, b in zip(r[:-1], f[:-1], strict=True)]
    return torch.stack([F.l1_loss(b.float(), a.detach().float()) for a, b in pairs]).mean()
