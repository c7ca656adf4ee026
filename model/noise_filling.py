"""Noise filling: what a transform codec's tokens do not carry becomes noise, as loud as the tokens tell.

High up, the ear hears how loud each region is and little else. So the last channels of the latents carry no
coefficient: each plays a burst of noise in one region, and every codebook entry turns it up by the power that
was missing there when the entry was chosen. (Audio codecs do so with explicit levels: noise substitution in
MPEG-4 AAC, Herre and Schulz 1998.)
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from model.lapped_transform import mdct_kernels
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ

BAND_HZ = SAMPLE_RATE_HZ / 2 / FRAME_SAMPLES
FIRST_BAND = 100  # 4.3 kHz: below, noise would blur what the tokens carry well
_SHARE_BESIDE_WAVES = 0.5  # of the missing power: there, too little noise is heard less than too much
_FLOOR = 1e-12
_ROUNDS = 40


@dataclass(frozen=True)
class NoiseFilling:
    """Some `regions` of equal width share a frame's 512 bands from `FIRST_BAND` on.

    The codec carries the waveform of the bands below `carried`.
    """

    carried: int
    regions: int

    @property
    def spans(self) -> list[slice]:
        """The bands of each region."""
        edges = torch.linspace(FIRST_BAND, FRAME_SAMPLES, self.regions + 1).round().int().tolist()
        return [slice(*edge) for edge in pairwise(edges)]

    @property
    def shares(self) -> Tensor:
        """Of the power that is missing in each region, how much becomes noise, float32 [regions]."""
        return torch.tensor([_SHARE_BESIDE_WAVES if s.start < self.carried else 1.0 for s in self.spans])

    def bursts(self) -> Tensor:
        """Noise of power 1 in each region, float32 [regions, 1024]: a frame, and halves around it."""
        kernels = mdct_kernels(FRAME_SAMPLES)
        waves = torch.stack([_signs(len(kernels[span])) @ kernels[span] for span in self.spans])
        return F.normalize(waves)

    def not_carried(self, audio: Tensor) -> Tensor:
        """Power in the bands that are not carried, of audio [windows, frames * 512].

        Returns:
            float32 [windows, frames, regions].
        """
        margin = FRAME_SAMPLES // 2
        blocks = F.pad(audio, (margin, margin)).unfold(1, 2 * FRAME_SAMPLES, FRAME_SAMPLES)
        powers = (blocks @ mdct_kernels(FRAME_SAMPLES)[self.carried :].T).square()
        return self._by_region(F.pad(powers, (self.carried, 0)))

    def left(self, coefficients: Tensor) -> Tensor:
        """Power of what tokens leave of the carried bands, float32 [..., regions], of [..., carried]."""
        return self._by_region(F.pad(coefficients.square(), (0, FRAME_SAMPLES - self.carried)))

    def known(self, bands_hz: Tensor) -> Tensor:
        """Whether speech of these bandwidths, [windows], tells how loud each region is.

        Returns:
            bool [windows, regions].
        """
        tops_hz = torch.tensor([span.stop for span in self.spans]) * BAND_HZ
        return bands_hz[:, None] >= 0.98 * tops_hz

    def _by_region(self, powers: Tensor) -> Tensor:
        sums = [powers[..., span].sum(-1, keepdim=True) for span in self.spans]
        return torch.cat([powers[..., :0], *sums], -1)


def powers_by_entry(tokens: Tensor, powers: Tensor, known: Tensor, codebook_size: int) -> Tensor:
    """What each entry tells of each region's power, float32 [codebooks, codebook_size, regions].

    Powers of independent noises add up. The fit is the likeliest for Gaussian noise, by the multiplicative
    updates of Fevotte, Bertin and Durrieu 2009 (factors under the Itakura-Saito divergence).

    Args:
        tokens: int64 [codebooks, frames].
        powers: float32 [frames, regions].
        known: bool [frames, regions].
    """
    weight, powers = known.float(), powers.clamp(min=_FLOOR)
    mean = (powers * weight).sum(0) / weight.sum(0).clamp(min=1)
    table = (mean / len(tokens)).expand(len(tokens), codebook_size, -1).clone()
    for _ in range(_ROUNDS):
        told = _told(table, tokens)
        wanted, given = weight * powers / told.square(), weight / told
        for entries, chosen in zip(table, tokens, strict=True):
            sums = [torch.zeros_like(entries).index_add_(0, chosen, part) for part in (wanted, given)]
            entries *= (sums[0] / sums[1].clamp(min=_FLOOR)).sqrt()
    return table


def _told(table: Tensor, tokens: Tensor) -> Tensor:
    told = torch.full((tokens.shape[1], table.shape[-1]), _FLOOR)
    for entries, chosen in zip(table, tokens, strict=True):
        told += entries[chosen]
    return told


def _signs(count: int) -> Tensor:
    return torch.randint(2, (count,)) * 2.0 - 1
