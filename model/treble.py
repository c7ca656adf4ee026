"""How loud a decoder's treble is on the mean, matched to that of speech.

What learns to be near to speech, of tokens that tell little of its treble, comes out too soft there: the best
guess at a level that is not known is below its mean.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model.codec_start import interleaving_steps, lapped_waves
from model.plan import SAMPLE_RATE_HZ

FIRST_HZ = 8000  # of treble: below, tokens tell more, and louder guesses sounded rougher (PESQ)
_SMOOTHING_CHANNELS = 9
_MOST = 4.0  # gain


class TrebleMatch:
    """Compares sounds in the channels of the filter bank that a `dac.DAC`'s decoder ends with."""

    def __init__(self, dac: Any) -> None:
        steps = interleaving_steps(dac.decoder_rates)
        rates = dac.decoder_rates[steps:]
        self._hop = math.prod(rates)
        self._join = dac.decoder.model[1 + steps].block[1]
        self._bank = lapped_waves(rates[::-1], self._hop)[0]
        self._energies = torch.zeros(2, self._hop)

    def hear(self, made: Tensor, speech: Tensor, bands_hz: Tensor) -> None:
        """Take sounds [batch, samples] into account, each row up to its band in Hz."""
        tops_hz = torch.arange(1, self._hop + 1) * SAMPLE_RATE_HZ / 2 / self._hop
        known = tops_hz <= bands_hz[:, None]
        for energies, sound in zip(self._energies, (made, speech), strict=True):
            coefficients = F.conv1d(sound[:, None], self._bank[:, None], stride=self._hop)
            energies += (coefficients.square().sum(2) * known).sum(0)

    @torch.no_grad()
    def apply(self) -> Tensor:
        """Have the decoder's treble be as loud as that of the speech was; return the gains, [channels]."""
        around = F.avg_pool1d(
            self._energies, _SMOOTHING_CHANNELS, 1, _SMOOTHING_CHANNELS // 2, count_include_pad=False
        )
        gains = (around[1] / around[0].clamp(min=1e-9)).sqrt().clamp(1, _MOST)
        gains[: math.ceil(FIRST_HZ / (SAMPLE_RATE_HZ / 2) * self._hop)] = 1
        self._join.weight_g[: self._hop] *= gains[:, None, None].to(self._join.weight_g.device)
        return gains
