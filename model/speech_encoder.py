"""The speech encoder: noisy audio to one conditioning vector a codec frame.

It sees the power-law STFT magnitude, as in MaskSR, and also the codec's latents of the noisy audio: the
compact codec's tokens carry phase, of which a magnitude says nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.plan import FRAME_SAMPLES
from model.transformer import Transformer

WINDOW_SAMPLES = 2048
BINS = WINDOW_SAMPLES // 2 + 1
POWER = 0.3  # magnitude compression (MaskSR, arXiv 2406.02092)
MARGIN_SAMPLES = (WINDOW_SAMPLES - FRAME_SAMPLES) // 2  # centres each STFT window on its codec frame


class SpeechEncoder(nn.Module):
    """Conditioning for the language model; its cost is paid once a window, whatever the number of passes."""

    def __init__(self, width: int, layers: int, heads: int, feed_forward: int, latent_channels: int) -> None:
        super().__init__()
        self.window: Tensor
        self.bin_mean: Tensor
        self.bin_deviation: Tensor
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES), persistent=False)
        self.register_buffer("bin_mean", torch.zeros(BINS))
        self.register_buffer("bin_deviation", torch.ones(BINS))
        self.expand, self.contract = nn.Linear(BINS, width), nn.Linear(width, width)
        self.project_latents = nn.Linear(latent_channels, width, bias=False)
        self.transformer = Transformer(width, layers, heads, feed_forward)

    def forward(self, audio: Tensor, latents: Tensor) -> Tensor:
        """Noisy audio and its latents to float32 [batch, frames, width]; silence is assumed around the audio.

        Args:
            audio: float32 [batch, frames * 512] at 44.1 kHz.
            latents: float32 [batch, channels, frames] of the codec's encoder.
        """
        features = (self.spectrum(audio) - self.bin_mean) / self.bin_deviation
        spectral = self.contract(F.gelu(self.expand(features)))
        output: Tensor = self.transformer(spectral + self.project_latents(latents.transpose(1, 2)))
        return output

    def spectrum(self, audio: Tensor) -> Tensor:
        """Compressed magnitudes, float32 [batch, frames, 1025]."""
        padded = F.pad(audio.float(), (MARGIN_SAMPLES, MARGIN_SAMPLES))
        spectrum = torch.stft(
            padded, WINDOW_SAMPLES, FRAME_SAMPLES, window=self.window, center=False, return_complex=True
        )
        return spectrum.abs().clamp(min=1e-5).pow(POWER).transpose(1, 2)

    @torch.no_grad()
    def start_from_latents(self) -> None:
        """Start with the latents themselves as the output, whatever the spectrum."""
        nn.init.zeros_(self.contract.weight)
        nn.init.zeros_(self.contract.bias)
        nn.init.eye_(self.project_latents.weight)

    @torch.no_grad()
    def set_normalisation(self, audio: Tensor) -> None:
        """Take each bin's mean and deviation from a sample of noisy audio, float32 [batch, samples]."""
        features = self.spectrum(audio).flatten(0, 1)
        self.bin_mean.copy_(features.mean(0))
        self.bin_deviation.copy_(features.std(0) + 1e-3)
