"""How much of its codebooks a codec uses."""

import torch
from torch import Tensor


def count_entries(counts: Tensor, codes: Tensor) -> None:
    """Add how often codes [batch, codebooks, frames] chose each entry to `counts` [codebooks, size]."""
    for row, used in zip(counts, codes.cpu().unbind(1), strict=True):
        row += torch.bincount(used.flatten(), minlength=len(row))


def perplexity(counts: Tensor) -> Tensor:
    """Effective number of entries in use, float32 [codebooks], of counts [codebooks, codebook_size]."""
    share = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return (-(share * (share + 1e-12).log()).sum(1)).exp()
