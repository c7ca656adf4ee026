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
        self.gate, self.addition = nn.Linear(width, latent_channels), nn.Linear(width, width)
        for layer in (self.gate, self.addition):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.gate.bias, 4.0)

    def forward(self, audio: Tensor, latents: Tensor) -> Tensor:
        """Noisy audio and its latents to float32 [batch, frames, width]; silence is assumed around the audio.

        The first channels are the latents, each attenuated as noise demands: by the root of a share of power.
        Training starts with all of them passed on, so that the language model can at once be taught, or
        replaced, by the codec's quantizer.

        Args:
            audio: float32 [batch, frames * 512] at 44.1 kHz.
            latents: float32 [batch, channels, frames] of the codec's encoder.
        """
        features = (self.spectrum(audio) - self.bin_mean) / self.bin_deviation
        spectral = self.contract(F.gelu(self.expand(features)))
        latents = latents.transpose(1, 2)
        hidden = self.transformer(spectral + self.project_latents(latents)).to(latents.dtype)
        gain = torch.sigmoid(self.gate(hidden).float())
        cleaned = latents * (gain if self.training else gain.sqrt())
        output: Tensor = F.pad(cleaned, (0, hidden.shape[-1] - cleaned.shape[-1])) + self.addition(hidden)
        return output

    def spectrum(self, audio: Tensor) -> Tensor:
        """Compressed magnitudes, float32 [batch, frames, 1025]."""
        padded = F.pad(audio.float(), (MARGIN_SAMPLES, MARGIN_SAMPLES))
        spectrum = torch.stft(
            padded, WINDOW_SAMPLES, FRAME_SAMPLES, window=self.window, center=False, return_complex=True
        )
        return spectrum.abs().clamp(min=1e-5).pow(POWER).transpose(1, 2)

    @torch.no_grad()
    def rescale_latents(self, factors: Tensor) -> None:
        """Do the same as before with latents of other scales, `factors` [channels] times those so far."""
        self.project_latents.weight.copy_(
            torch.where(factors > 0, self.project_latents.weight / factors, factors.new_zeros(()))
        )
        self.addition.weight[: len(factors)] *= factors[:, None]
        self.addition.bias[: len(factors)] *= factors

    @torch.no_grad()
    def set_normalisation(self, audio: Tensor) -> None:
        """Take each bin's mean and deviation from a sample of noisy audio, float32 [batch, samples]."""
        features = self.spectrum(audio).flatten(0, 1)
        self.bin_mean.copy_(features.mean(0))
        self.bin_deviation.copy_(features.std(0) + 1e-3)
