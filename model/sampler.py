"""Reduced-step mask-predict sampling (Chang et al. 2022, MaskGIT) over the token grid of a window."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Predict = Callable[[Tensor], Tensor]


def masked_count(unpinned: int, finished_passes: int, passes: int) -> int:
    """How many of `unpinned` tokens are still masked after `finished_passes` of `passes`.

    The share masked before pass i of T is cos(pi/2 * i/T): the first pass sees all of them masked, and the
    last one leaves none, so that no pass is spent on a single token.
    """
    return int(unpinned * math.cos(math.pi / 2 * finished_passes / passes) + 1e-9)


def sample(
    predict: Predict,
    tokens: Tensor,
    pinned: Tensor,
    *,
    mask_token: int,
    passes: int,
    temperature: float,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Fill in every token that is not pinned.

    Args:
        predict: maps tokens [batch, codebooks, frames] to logits [batch, newest frames, codebooks, entries];
            it may leave out the oldest frames if all of them are pinned.
        tokens: int64 [batch, codebooks, frames]; what stands where `pinned` is false is ignored.
        pinned: bool [codebooks, frames], the tokens that are given and never change.
        mask_token: the value that stands for a masked token.
        passes: calls of `predict`, at least 1.
        temperature: of the draw from the predicted distribution; 0 takes the likeliest token.
        generators: one a batch item, so that an item's result does not depend on its neighbours.

    Returns:
        int64 [batch, codebooks, frames] without any masked token.
    """
    unpinned = int((~pinned).sum())
    tokens = torch.where(pinned, tokens, mask_token)
    for finished in range(1, passes + 1):
        drawn, rank = draw(predict(tokens), temperature, generators)
        newest = tokens[:, :, -drawn.shape[2] :]
        masked = newest == mask_token
        newest = torch.where(masked, drawn, newest)
        ranked = torch.where(masked, rank, math.inf).flatten(1)
        remasked = ranked.argsort(dim=1)[:, : masked_count(unpinned, finished, passes)]
        newest = newest.flatten(1).scatter(1, remasked, mask_token).view_as(newest)
        tokens = torch.cat([tokens[:, :, : -drawn.shape[2]], newest], dim=2)
    return tokens


def draw(logits: Tensor, temperature: float, generators: Sequence[torch.Generator]) -> tuple[Tensor, Tensor]:
    """Draw a token at each place, and rank it by how sure the model is of it.

    A coarse codebook outranks every finer one, since a fine code says what the coarse ones before it leave.

    Returns:
        tokens int64 and ranks float32, both [batch, codebooks, frames].
    """
    scores = logits = logits.float()
    if temperature > 0:
        uniform = torch.stack([torch.rand(logits.shape[1:], generator=generator) for generator in generators])
        gumbel = -(-uniform.clamp(1e-9, 1 - 1e-7).log()).log()
        scores = logits / temperature + gumbel.to(logits.device)
    tokens = scores.argmax(-1)
    probability = logits.softmax(-1).gather(-1, tokens[..., None]).squeeze(-1)
    level = torch.arange(logits.shape[2], device=logits.device)
    return tokens.transpose(1, 2), (probability - level).transpose(1, 2)
