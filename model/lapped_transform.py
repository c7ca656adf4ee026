"""The lapped cosine transform (MDCT: Princen, Johnson and Bradley 1987) and trees of it."""

import math

import torch
from torch import Tensor


def mdct_kernels(bands: int) -> Tensor:
    """Orthonormal lapped transform with a sine window, float32 [bands, 2 * bands]."""
    n = torch.arange(2 * bands)
    window = torch.sin(math.pi * (n + 0.5) / (2 * bands))
    k = torch.arange(bands)[:, None]
    return window * math.sqrt(2 / bands) * torch.cos(math.pi / bands * (n + 0.5 + bands / 2) * (k + 0.5))


def band_split(parents: int, children: int, bands: int) -> Tensor:
    """Weights [children, parents, 2 * bands] that split each parent into `bands`, ordered by frequency.

    Decimation turns the spectrum of every second band around, so there the kernels are taken in reverse.
    """
    kernels = mdct_kernels(bands)
    weight = torch.zeros(children, parents, 2 * bands)
    for child in range(min(children, parents * bands)):
        parent, place = divmod(child, bands)
        weight[child, parent] = kernels[place if parent % 2 == 0 else bands - 1 - place]
    return weight
