"""The speech encoder: what it hears of the speech in noisy audio.

From the power-law STFT magnitude, as in MaskSR, it tells how much of each bin is speech and what is missing
there. It enhances the audio by that, with phases that fit, and the codec's latents of the enhanced audio
become the conditioning (`LanguageModel.condition`): the compact codec's tokens carry phase, of which a
magnitude says nothing.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.fine_gate import BINS as FINE_BINS
from model.fine_gate import MARGIN_FRAMES, FineGate
from model.phases import fit_phases
from model.plan import FRAME_SAMPLES
from model.stft import BINS, Stft
from model.transformer import Transformer

SETTLING_FRAMES = 5  # the first that are given, which depend on more of the past than is looked at
LOOK_BACK_FRAMES = MARGIN_FRAMES - SETTLING_FRAMES  # of the fine gate, before those that are given
POWER = 0.3  # magnitude compression (MaskSR, arXiv 2406.02092)
_FLOOR_POWER = 1e-10  # of a bin, where compression ends
_INAUDIBLE = 1e-6  # power of a bin, 64 dB below noise as loud as speech is: silence is heard as silence
_PHASE_ROUNDS = 3  # 5 sound no better
_START_GATE, _START_FILLING = 4.0, -6.0  # nearly all passed on, nearly nothing filled in


class Speech(NamedTuple):
    """What is heard of some frames.

    enhanced: float32 [batch, frames * 512];
    heard: the share of each bin's power that was in the noisy audio and is not filled in, float32
    [batch, frames, 1025];
    known: what else the encoder knows of each frame, float32 [batch, frames, width].
    """

    enhanced: Tensor
    heard: Tensor
    known: Tensor


class SpeechEncoder(nn.Module):
    """A spectral mask, and noise where the speech has lost more than a mask can raise again.

    Its cost is paid once a window, whatever the number of passes.
    """

    def __init__(self, width: int, layers: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.bin_mean: Tensor
        self.bin_deviation: Tensor
        self.register_buffer("bin_mean", torch.zeros(BINS))
        self.register_buffer("bin_deviation", torch.ones(BINS))
        self.stft, self.low_stft = Stft(), Stft(2 * FINE_BINS)
        self.expand, self.contract = nn.Linear(BINS, width), nn.Linear(width, width)
        self.transformer = Transformer(width, layers, heads, feed_forward)
        self.norm = nn.RMSNorm(width, elementwise_affine=False)
        self.gate, self.filling = nn.Linear(width, BINS), nn.Linear(width, BINS)
        self.fine_gate = FineGate(width)
        for layer, bias in ((self.gate, _START_GATE), (self.filling, _START_FILLING)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, bias)

    def forward(self, audio: Tensor, noise: Tensor, first_frame: int = 0) -> Speech:
        """Hear the frames of a window from `first_frame` on; silence is assumed around it.

        Args:
            audio: float32 [batch, frames * 512] at 44.1 kHz.
            noise: white, of unit power, of the same shape; what is missing sounds like it.
        """
        spectrum = self.stft.analyse(audio.float())
        features = self.normalise(spectrum)
        start = max(0, first_frame - LOOK_BACK_FRAMES)
        known = self.norm(self.transformer(self.look(features), start).float())
        gain, filling = self.judge(features[:, start:], known)
        passed = self._fit(gain * spectrum[:, start:], gain)  # from `start`: phases go on from those before
        passed, filling, known = (frames[:, first_frame - start :] for frames in (passed, filling, known))
        missing = self.stft.analyse(noise[:, first_frame * FRAME_SAMPLES :]) / self.stft.window.norm()
        power = _power(passed.detach())
        heard = (power + _INAUDIBLE) / (power + _INAUDIBLE + filling.detach().square())
        return Speech(self.stft.synthesise(passed + filling * missing), heard, known)

    def _fit(self, passed: Tensor, gain: Tensor) -> Tensor:
        """Have the phases of the lowest 384 bins fit; what passed nearly whole keeps its own."""
        low = F.pad(passed[..., :FINE_BINS], (0, 1))
        trust = F.pad(gain[..., :FINE_BINS].detach().square(), (0, 1))
        fitted = fit_phases(self.low_stft, low, trust, _PHASE_ROUNDS)[..., :FINE_BINS]
        return torch.cat([fitted, passed[..., FINE_BINS:]], dim=-1)

    def normalise(self, spectrum: Tensor) -> Tensor:
        """Compressed magnitudes, each bin around 0 and about 1, float32 [batch, frames, 1025]."""
        return (_compress(spectrum) - self.bin_mean) / self.bin_deviation

    def look(self, features: Tensor) -> Tensor:
        """What the transformer is given, [batch, frames, width], of normalised magnitudes."""
        seen: Tensor = self.contract(F.gelu(self.expand(features.to(self._dtype))))
        return seen

    def judge(self, features: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """The gain of each bin and what to fill in, by what is known of the frames of `features`."""
        known = known.to(self._dtype)
        fine = self.fine_gate(features, known)
        gain = torch.sigmoid((self.gate(known) + F.pad(fine, (0, BINS - fine.shape[-1]))).float())
        return gain, F.softplus(self.filling(known).float())

    @property
    def _dtype(self) -> torch.dtype:
        return self.contract.weight.dtype

    @torch.no_grad()
    def set_normalisation(self, audio: Tensor) -> None:
        """Take each bin's mean and deviation from a sample of noisy audio, float32 [batch, samples]."""
        features = _compress(self.stft.analyse(audio)).flatten(0, 1)
        self.bin_mean.copy_(features.mean(0))
        self.bin_deviation.copy_(features.std(0) + 1e-3)


def white_noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Of unit power, for `SpeechEncoder.forward` with the audio `like`."""
    return torch.randn(like.shape, generator=generator).to(like.device)


def _compress(spectrum: Tensor) -> Tensor:
    return _power(spectrum).clamp(min=_FLOOR_POWER).log().mul(POWER / 2).exp()


def _power(spectrum: Tensor) -> Tensor:
    return torch.addcmul(spectrum.real * spectrum.real, spectrum.imag, spectrum.imag)
