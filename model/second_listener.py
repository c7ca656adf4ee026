"""The other of the `listeners` of the training, no kin of the first: it is harder to please both."""

import math
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.codec import torchaudio_or_stand_in
from model.training import TrainingError

_WINDOW_SAMPLES, _HOP_SAMPLES = 882, 441  # 20 and 10 ms
_BINS = 161  # 50 Hz apart, up to 8 kHz
_SCALE_TO_16_KHZ = 320 / _WINDOW_SAMPLES  # of a spectrum, to that of the same sound at 44.1 kHz
_ROLL_OFF_BINS = 148, 159  # where the judge's resampling fades what is near 8 kHz
_SILENT_POWER = 1e-8  # of a bin, to one as loud as the loudest moment: 80 dB
_POWER = 0.3  # magnitude compression
_SILENCE_FRAMES = 16  # heard after each clip: more than the convolutions reach
_EDGE_PLACES = 4  # at the end, where they reach what is no sound at all
_PLACES = 384  # of 20 ms, that the network hears at once
_JOINED = 4  # clips of a second, heard one after the other: of less, it thinks little, whatever it is


class SecondListener(nn.Module):
    """Distill-MOS (Stahl and Gamper 2025, arXiv 2502.05356) with the weights of `distillmos`.

    `model.judges.DistillMos` judges by the same network, so it is no independent judge of what this taught.

    Raises:
        TrainingError: a package of the extra `train` is missing.
    """

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        """Its convolutions compute in `dtype`."""
        super().__init__()
        self.fade: Tensor
        self.window: Tensor
        network = _load()
        self.look = network.cnn.cnn.to(dtype).to(memory_format=torch.channels_last)
        self.judge = network.transformer_pool_attn
        self.register_buffer("fade", _SCALE_TO_16_KHZ * _roll_off()[:, None, None])
        self.register_buffer("window", torch.hann_window(_WINDOW_SAMPLES))
        self._dtype = dtype
        self.requires_grad_(False).eval()

    def forward(self, audio: Tensor) -> Tensor:
        """Opinions from 1 to 5, float32 [recordings], of float32 [batch, samples] at 44.1 kHz.

        Four clips in a row, which may last 1.9 s each, are one recording; or two or one, to divide the batch.
        """
        joined = math.gcd(len(audio), _JOINED)
        seen = self.look(self._spectrum(audio).to(self._dtype).contiguous(memory_format=torch.channels_last))
        places = seen.flatten(1, 2).transpose(1, 2)[:, :-_EDGE_PLACES].float()
        silence = places[::joined, -1:].detach()
        heard = places[:, :-_EDGE_PLACES].unflatten(0, (-1, joined)).flatten(1, 2)
        silent = silence.expand(-1, _PLACES - heard.shape[1], -1)
        opinions: Tensor = 1 + 4 * self.judge(torch.cat([heard, silent], 1))
        return opinions

    def _spectrum(self, audio: Tensor) -> Tensor:
        """Compressed, real and imaginary parts, [batch, 2, bins, frames]; each clip's peak is 1."""
        peak = audio.detach().abs().amax(1, keepdim=True) + 1e-8
        margin = (_WINDOW_SAMPLES - _HOP_SAMPLES) // 2
        padded = F.pad(audio / peak, (margin, _WINDOW_SAMPLES + _SILENCE_FRAMES * _HOP_SAMPLES))
        spectrum = torch.stft(
            padded, _WINDOW_SAMPLES, _HOP_SAMPLES, window=self.window, center=False, return_complex=True
        )
        parts = torch.view_as_real(spectrum[:, :_BINS]) * self.fade
        power = parts.square().sum(-1, keepdim=True) + _SILENT_POWER
        return (parts * power ** ((_POWER - 1) / 2)).permute(0, 3, 1, 2)


def _load() -> Any:
    try:
        with torchaudio_or_stand_in(), redirect_stdout(StringIO()):  # it tells where its weights lie
            import distillmos

            return distillmos.ConvTransformerSQAModel()
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"{error.name} is missing, which a second_opinion_weight above 0 needs: install the extra"
            " `train`, or set it to 0."
        ) from error


def _roll_off() -> Tensor:
    first, last = _ROLL_OFF_BINS
    fading = torch.linspace(0, torch.pi, last - first).cos() / 2 + 0.5
    return torch.cat([torch.ones(first), fading, torch.zeros(_BINS - last)])
