"""The speech encoder: what it hears of the speech in noisy audio.

From the power-law STFT magnitude, as in MaskSR, it tells how much of each bin is speech and what is missing
there. It enhances the audio by that, and the codec's latents of the enhanced audio become the conditioning
(`LanguageModel.encode`): the compact codec's tokens carry phase, of which a magnitude says nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.fine_gate import FineGate
from model.plan import FRAME_SAMPLES
from model.transformer import Transformer

WINDOW_SAMPLES = 2048
BINS = WINDOW_SAMPLES // 2 + 1
POWER = 0.3  # magnitude compression (MaskSR, arXiv 2406.02092)
MARGIN_SAMPLES = (WINDOW_SAMPLES - FRAME_SAMPLES) // 2  # centres each STFT window on its codec frame
_OVERLAPS = WINDOW_SAMPLES // FRAME_SAMPLES
_START_GATE, _START_FILLING = 4.0, -6.0  # nearly all passed on, nearly nothing filled in


class SpeechEncoder(nn.Module):
    """A spectral mask, and noise where the speech has lost more than a mask can raise again.

    Its cost is paid once a window, whatever the number of passes.
    """

    def __init__(self, width: int, layers: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.window: Tensor
        self.bin_mean: Tensor
        self.bin_deviation: Tensor
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES), persistent=False)
        self.register_buffer("bin_mean", torch.zeros(BINS))
        self.register_buffer("bin_deviation", torch.ones(BINS))
        self.expand, self.contract = nn.Linear(BINS, width), nn.Linear(width, width)
        self.transformer = Transformer(width, layers, heads, feed_forward)
        self.norm = nn.RMSNorm(width, elementwise_affine=False)
        self.gate, self.filling = nn.Linear(width, BINS), nn.Linear(width, BINS)
        self.fine_gate = FineGate(width)
        for layer, bias in ((self.gate, _START_GATE), (self.filling, _START_FILLING)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, bias)

    def forward(self, audio: Tensor, noise: Tensor, first_frame: int = 0) -> tuple[Tensor, Tensor]:
        """Enhance the frames of a window from `first_frame` on; silence is assumed around it.

        Args:
            audio: float32 [batch, frames * 512] at 44.1 kHz.
            noise: white, of unit power, of the same shape; what is missing sounds like it.

        Returns:
            the enhanced audio, float32 [batch, (frames - first_frame) * 512], and what the encoder knows of
            each of these frames, float32 [batch, frames - first_frame, width].
        """
        spectrum = self._analyse(audio.float())
        features = (self._compress(spectrum) - self.bin_mean) / self.bin_deviation
        spectral = self.contract(F.gelu(self.expand(features)))
        hidden = self.norm(self.transformer(spectral, first_frame).float())
        fine = self.fine_gate(features[:, first_frame:], hidden)
        gain = torch.sigmoid((self.gate(hidden) + F.pad(fine, (0, BINS - fine.shape[-1]))).float())
        filling = F.softplus(self.filling(hidden).float())
        missing = self._analyse(noise[:, first_frame * FRAME_SAMPLES :]) / self.window.norm()
        return self._synthesise(gain * spectrum[:, first_frame:] + filling * missing), hidden

    @torch.no_grad()
    def set_normalisation(self, audio: Tensor) -> None:
        """Take each bin's mean and deviation from a sample of noisy audio, float32 [batch, samples]."""
        features = self._compress(self._analyse(audio)).flatten(0, 1)
        self.bin_mean.copy_(features.mean(0))
        self.bin_deviation.copy_(features.std(0) + 1e-3)

    def _analyse(self, audio: Tensor) -> Tensor:
        """Spectra, complex64 [batch, frames, 1025]."""
        padded = F.pad(audio, (MARGIN_SAMPLES, MARGIN_SAMPLES))
        spectrum = torch.stft(
            padded, WINDOW_SAMPLES, FRAME_SAMPLES, window=self.window, center=False, return_complex=True
        )
        return spectrum.transpose(1, 2)

    def _compress(self, spectrum: Tensor) -> Tensor:
        return spectrum.abs().clamp(min=1e-5).pow(POWER)

    def _synthesise(self, spectrum: Tensor) -> Tensor:
        """Audio [batch, frames * 512] by weighted overlap and add (Griffin and Lim 1984)."""
        pieces = torch.fft.irfft(spectrum, WINDOW_SAMPLES) * self.window
        weights = self.window.square().expand(pieces.shape[1], -1)
        return _overlap_add(pieces) / _overlap_add(weights)


def white_noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Of unit power, for `SpeechEncoder.forward` with the audio `like`."""
    return torch.randn(like.shape, generator=generator).to(like.device)


def _overlap_add(pieces: Tensor) -> Tensor:
    """[..., frames, 2048], each centred on its codec frame, to [..., frames * 512]."""
    hops = pieces.unflatten(-1, (_OVERLAPS, FRAME_SAMPLES)).unbind(-2)
    padded = [F.pad(hop, (0, 0, place, _OVERLAPS - 1 - place)) for place, hop in enumerate(hops)]
    return torch.stack(padded).sum(0).flatten(-2)[..., MARGIN_SAMPLES:-MARGIN_SAMPLES]
