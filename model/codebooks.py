"""Codebooks, sums of whose entries come near to vectors: fitting them, and finding the tokens of a vector."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model.filter_bank import weight_of

_TOGETHER = 128  # vectors, whose distances to all entries the processor's cache holds
_AROUND = 5  # channels, 215 Hz: about the width of the ear's filters in the middle of speech
_HIDING = 0.35  # exponent; of 0.15 to 0.5, what clean speech kept most of its intelligibility with
_FLOOR_POWER = 0.01  # of a latent, whose mean is 1


@dataclass(frozen=True)
class Codebook:
    """Entries in a subspace: float32 [codebook_size, dimensions], and [dimensions, channels] that span it."""

    entries: Tensor
    directions: Tensor

    @cached_property
    def vectors(self) -> Tensor:
        """The entries, float32 [codebook_size, channels]."""
        return self.entries @ self.directions

    @cached_property
    def squares(self) -> Tensor:
        """Of the entries' vectors, float32 [codebook_size, channels]."""
        return self.vectors.square()


@torch.no_grad()
def codebook_of(quantizer: Any) -> Codebook:
    """That of a `dac` quantizer; the last coordinate of its entries stands for what is added to all."""
    entries = F.pad(quantizer.codebook.weight.detach(), (0, 1), value=1.0)
    directions = weight_of(quantizer.out_proj)[:, :, 0].T
    return Codebook(entries, torch.cat([directions, quantizer.out_proj.bias[None]]))


def total(codebooks: Sequence[Codebook], tokens: Tensor) -> Tensor:
    """The vectors that tokens [codebooks, number] stand for, float32 [number, channels]."""
    sums = codebooks[0].entries.new_zeros(tokens.shape[1], codebooks[0].directions.shape[1])
    for codebook, chosen in zip(codebooks, tokens, strict=True):
        sums += codebook.vectors[chosen]
    return sums


def audibility(latents: Tensor) -> Tensor:
    """What an error in each latent counts, float32 as `latents` [..., frames, channels].

    The less, the louder the channels around it are at that moment: loud ones hide an error. (Speech coders
    shape their noise so: Atal and Schroeder 1979.)
    """
    power = F.avg_pool1d(latents.square(), _AROUND, 1, _AROUND // 2, count_include_pad=False)
    weights = (power + _FLOOR_POWER) ** -_HIDING
    return weights / weights.mean(-1, keepdim=True)


def search(points: Tensor, codebooks: Sequence[Codebook], width: int, weights: Tensor) -> Tensor:
    """The tokens of `points` [number, channels], int64 [codebooks, number], by beam search.

    `width` sequences stay open from codebook to codebook, as for additive quantization (Babenko and Lempitsky
    2014); 1 takes the entry nearest to what the codebooks before left.

    Args:
        weights: of the square of each error, [number, channels].
    """
    parts = zip(points.split(_TOGETHER), weights.split(_TOGETHER), strict=True)
    return torch.cat([_search(part, codebooks, width, weight) for part, weight in parts], 1)


def _search(points: Tensor, codebooks: Sequence[Codebook], width: int, weights: Tensor) -> Tensor:
    left, tokens = points[:, None], torch.empty((len(points), 1, 0), dtype=torch.long, device=points.device)
    for codebook in codebooks:
        vectors, weighted = codebook.vectors, left * weights[:, None]
        along = weighted.flatten(0, 1) @ codebook.directions.T
        distances = (along @ (-2 * codebook.entries.T)).view(*left.shape[:2], -1)
        distances += (weights @ codebook.squares.T)[:, None]
        distances += (weighted * left).sum(-1, keepdim=True)
        nearest = _smallest(distances.flatten(1), width)
        before, entry = nearest // len(vectors), nearest % len(vectors)
        left = _rows(left, before) - vectors[entry]
        tokens = torch.cat([_rows(tokens, before), entry[..., None]], -1)
    return tokens[:, 0].T


def _smallest(values: Tensor, count: int) -> Tensor:
    """Where the smallest of each row of [number, values] are, int64 [number, count], the smallest first.

    They are in the groups of values whose smallest are the smallest, which saves sorting all others.
    """
    groups = values.unflatten(1, (math.gcd(values.shape[1], 16), -1))
    chosen = groups.amin(1).topk(min(count, groups.shape[2]), largest=False).indices
    kept = groups.gather(2, chosen[:, None].expand(-1, groups.shape[1], -1)).flatten(1)
    places = kept.topk(min(count, kept.shape[1]), largest=False).indices
    in_group, group = places // chosen.shape[1], chosen.gather(1, places % chosen.shape[1])
    return in_group * groups.shape[2] + group


def _rows(values: Tensor, places: Tensor) -> Tensor:
    """Of [number, rows, ...], those at `places` [number, kept]."""
    return values.gather(1, places[..., None].expand(-1, -1, values.shape[-1]))


def fit(points: Tensor, count: int, size: int, dimensions: int) -> list[Codebook]:
    """Codebooks for `points` [number, channels], one after the other.

    Each takes the principal directions of what the ones before it left, clustered by k-means.
    """
    codebooks = []
    for _ in range(count):
        directions = torch.linalg.eigh(points.T @ points).eigenvectors[:, -dimensions:].T
        projected = points @ directions.T
        codebooks.append(Codebook(cluster(projected, size), directions))
        points = points - codebooks[-1].vectors[nearest(projected, codebooks[-1].entries)]
    return codebooks


def refit(points: Tensor, codebooks: Sequence[Codebook], tokens: Tensor, weights: Tensor) -> list[Codebook]:
    """Fit each codebook in turn to what the others leave of `points`, whose `tokens` stay.

    `weights` are those of `search`.
    """
    left, fitted = points - total(codebooks, tokens), []
    for codebook, chosen in zip(codebooks, tokens, strict=True):
        own = left + codebook.vectors[chosen]
        sums, weight = (
            torch.zeros_like(codebook.vectors).index_add_(0, chosen, part)
            for part in (own * weights, weights)
        )
        means = torch.where(weight > 0, sums / weight.clamp(min=1e-6), codebook.vectors)
        sizes = torch.bincount(chosen, minlength=len(codebook.entries))[:, None]
        spread = means.T @ (means * sizes)
        directions = torch.linalg.eigh(spread).eigenvectors[:, -len(codebook.directions) :].T
        fitted.append(Codebook(means @ directions.T, directions))
        left = own - fitted[-1].vectors[chosen]
    return fitted


def cluster(points: Tensor, count: int, rounds: int = 12) -> Tensor:
    """Centres [count, dimensions] of `points` [number, dimensions] by k-means (Lloyd 1982)."""
    centres = points[torch.randperm(len(points))[:count]].clone()
    for _ in range(rounds):
        chosen = nearest(points, centres)
        sizes = torch.bincount(chosen, minlength=len(centres))
        sums = torch.zeros_like(centres).index_add_(0, chosen, points)
        strays = points[torch.randint(len(points), (len(centres),))]
        centres = torch.where(sizes[:, None] > 0, sums / sizes[:, None].clamp(min=1), strays)
    return centres


def nearest(points: Tensor, centres: Tensor) -> Tensor:
    """The number of the centre nearest to each point, int64 [number]."""
    halved = centres.square().sum(1) / 2
    parts = points.split(1024)  # whose distances the processor's cache holds
    return torch.cat([torch.addmm(-halved, part, centres.T).argmax(1) for part in parts])
