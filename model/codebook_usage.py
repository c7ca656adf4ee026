"""How much of its codebooks a codec uses while it trains, and what becomes of entries it does not."""

from typing import Any

import torch
from torch import Tensor


class CodebookUsage:
    """Counts chosen codebook entries, to move those that stay unused next to ones that are used."""

    def __init__(self, dac: Any, window_steps: int = 100) -> None:
        self._quantizers, self._window, self._steps = dac.quantizer.quantizers, window_steps, 0
        self._counts = torch.zeros(dac.n_codebooks, dac.codebook_size)

    @torch.no_grad()
    def count(self, codes: Tensor) -> None:
        """Count a batch's codes [batch, codebooks, frames]; after every window, revive unused entries."""
        count_entries(self._counts, codes)
        self._steps += 1
        if self._steps % self._window == 0:
            if torch.distributed.is_initialized():
                torch.distributed.all_reduce(self._counts)
            for counts, quantizer in zip(self._counts, self._quantizers, strict=True):
                self._revive(quantizer.codebook.weight, counts)
            self._counts.zero_()

    @staticmethod
    def _revive(weight: Tensor, counts: Tensor) -> None:
        unused = (counts == 0).nonzero().flatten()
        source = weight[torch.multinomial(counts, max(1, len(unused)), replacement=True)[: len(unused)]]
        weight[unused] = source + 0.1 * weight.std() * torch.randn_like(source)


def count_entries(counts: Tensor, codes: Tensor) -> None:
    """Add how often codes [batch, codebooks, frames] chose each entry to `counts` [codebooks, size]."""
    for row, used in zip(counts, codes.cpu().unbind(1), strict=True):
        row += torch.bincount(used.flatten(), minlength=len(row))


def perplexity(counts: Tensor) -> Tensor:
    """Effective number of entries in use, float32 [codebooks], of counts [codebooks, codebook_size]."""
    share = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return (-(share * (share + 1e-12).log()).sum(1)).exp()
