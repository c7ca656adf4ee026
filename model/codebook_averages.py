"""Codebooks that learn beside an encoder, since an encoder's latents are known by their codebooks alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from model.codebooks import Codebook, audibility, codebook_of, search, total

_SEARCH_WIDTH = 2  # wider ones take longer
_SILENCE = 0.05  # power of the latents of a frame, whose mean is about 100
_IDLE = 0.03  # of the mean use of entries
_APART = 0.01


class CodebookAverages:
    """Each entry follows, as a moving average, what the others leave to it of the latents.

    (van den Oord et al. 2017, VQ-VAE, appendix A.1; here of codebooks that are searched together.) Errors
    count as they are heard. The entries of `dac.quantizer` are set in place; the subspaces that they lie in
    stay, as do their coordinates in channels that are not encoded.
    """

    def __init__(self, dac: Any, is_encoded: Tensor, decay: float) -> None:
        """`is_encoded`: bool [channels]."""
        self._quantizers, self._is_encoded, self._decay = dac.quantizer.quantizers, is_encoded, decay
        self.sums = torch.stack([codebook_of(quantizer).vectors for quantizer in self._quantizers])
        self.masses = torch.ones_like(self.sums)

    def quantize(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Quantize, and where gradients are wanted, learn from it.

        Args:
            latents: float32 [batch, channels, frames].

        Returns:
            the same, quantized, whose gradients pass straight on to `latents`; and the commitment loss: the
            share of the latents' power that is lost, as it is heard.
        """
        points = latents.transpose(1, 2).flatten(0, 1)
        with torch.no_grad():
            weights = audibility(points) * self._is_encoded
            codebooks = [codebook_of(quantizer) for quantizer in self._quantizers]
            tokens = search(points, codebooks, _SEARCH_WIDTH, weights)
            found = total(codebooks, tokens)
        lost, heard = ((part.square() * weights).sum(1) for part in (points - found, points.detach()))
        if torch.is_grad_enabled():
            self._follow(codebooks, tokens, points.detach() - found, weights)
        through = found + (points - points.detach()) * self._is_encoded
        return through.unflatten(0, (len(latents), -1)).transpose(1, 2), (lost / (heard + _SILENCE)).mean()

    def state_dict(self) -> dict[str, Tensor]:
        return {"sums": self.sums, "masses": self.masses}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.sums.copy_(state["sums"])
        self.masses.copy_(state["masses"])

    @torch.no_grad()
    def _follow(self, codebooks: Sequence[Codebook], tokens: Tensor, left: Tensor, weights: Tensor) -> None:
        """Learn from `left`, what `tokens` [codebooks, number] of the `codebooks` leave of points."""
        sums, masses = torch.zeros_like(self.sums), torch.zeros_like(self.masses)
        for codebook, chosen, sum_, mass in zip(codebooks, tokens, sums, masses, strict=True):
            own = left + codebook.vectors[chosen]
            sum_.index_add_(0, chosen, own * weights)
            mass.index_add_(0, chosen, weights)
        for average, new in ((self.sums, sums), (self.masses, masses)):
            if torch.distributed.is_initialized():
                torch.distributed.all_reduce(new)
            average.lerp_(new, 1 - self._decay)
        for place, quantizer in enumerate(self._quantizers):
            self._split(quantizer, place)
            self._set(quantizer, self.sums[place] / self.masses[place].clamp(min=1e-6))

    def _split(self, quantizer: Any, place: int) -> None:
        """Idle entries share the work of the busiest (Linde, Buzo and Gray 1980)."""
        use = self.masses[place].mean(1)
        idle = (use < _IDLE * use.mean()).nonzero().flatten()
        busiest = use.topk(len(idle)).indices
        for statistic in (self.sums[place], self.masses[place]):
            statistic[busiest] /= 2
            statistic[idle] = statistic[busiest]
        self.sums[place, idle] *= 1 + _APART
        quantizer.codebook.weight[idle] = quantizer.codebook.weight[busiest]

    def _set(self, quantizer: Any, vectors: Tensor) -> None:
        directions = codebook_of(quantizer).directions[:-1] * self._is_encoded
        learns = directions.any(1)
        quantizer.codebook.weight[:, learns] = vectors @ directions[learns].T
