"""Reduced-step mask-predict sampling (Chang et al. 2022, MaskGIT) over the token grid of a window."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from model.plan import WindowPlan
from model.transfer import to_device

Predict = Callable[[Tensor], Tensor]


def cosine_share(progress: float) -> float:
    """The share of tokens that are masked once `progress`, 0 to 1, of their passes are done.

    The first pass sees all of them masked, and the last one leaves none, so that no pass is spent on a
    single token.
    """
    return math.cos(math.pi / 2 * progress)


def coarse_first(logits: Tensor, tokens: Tensor) -> Tensor:
    """Ranks tokens by how probable they are, those of a coarse codebook before all those of a finer one.

    A fine code says what the coarse ones before it leave, so it waits for them.
    """
    return probability(logits, tokens) - torch.arange(logits.shape[2], device=logits.device)


def probability(logits: Tensor, tokens: Tensor) -> Tensor:
    """Of tokens [batch, frames, codebooks] by logits [batch, frames, codebooks, entries]."""
    return logits.softmax(-1).gather(-1, tokens[..., None]).squeeze(-1)


def likeliest(logits: Tensor) -> Tensor:
    """Entries [...] of logits [..., entries]: as `argmax` finds them, which takes twice as long on a CPU."""
    return logits.max(-1).indices


@dataclass(frozen=True)
class Unmasking:
    """Which tokens are decided when.

    share: of the tokens that are still masked, by the share of their passes that are done;
    rank: maps logits and the tokens drawn from them, shaped as in `probability`, to ranks shaped as the
        tokens; high ones are decided first.
    """

    share: Callable[[float], float] = cosine_share
    rank: Callable[[Tensor, Tensor], Tensor] = coarse_first


COARSE_FIRST = Unmasking()


@dataclass(frozen=True)
class Draw:
    """How tokens are drawn from logits, and in which order they are decided.

    temperature: of the predicted distribution; 0 takes the likeliest token.
    generators: one a batch item, so that an item's result does not depend on its neighbours.
    """

    mask_token: int
    temperature: float
    generators: Sequence[torch.Generator]
    unmasking: Unmasking = COARSE_FIRST

    def fill(self, tokens: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Replace what is masked in tokens [batch, codebooks, frames] by draws from their logits.

        Returns:
            the tokens, and their ranks, float32 of the same shape, infinite where nothing was masked.
        """
        drawn, rank = self._draw(logits.float())
        masked = tokens == self.mask_token
        return torch.where(masked, drawn, tokens), torch.where(masked, rank, math.inf)

    def remask(self, tokens: Tensor, rank: Tensor, count: int) -> Tensor:
        """Mask the `count` tokens of lowest rank again, of those whose rank is not infinite."""
        lowest = rank.flatten(1).argsort(dim=1)[:, :count]
        masked = torch.zeros_like(tokens, dtype=torch.bool).flatten(1).scatter(1, lowest, True)
        return torch.where(masked.view_as(tokens) & (rank < math.inf), self.mask_token, tokens)

    def _draw(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        scores = logits
        if self.temperature > 0:
            uniform = torch.stack([torch.rand(logits.shape[1:], generator=g) for g in self.generators])
            gumbel = -(-uniform.clamp(1e-9, 1 - 1e-7).log()).log()
            scores = logits / self.temperature + to_device(gumbel, logits.device)
        tokens = likeliest(scores)
        return tokens.transpose(1, 2), self.unmasking.rank(logits, tokens).transpose(1, 2)


def sample(predict: Predict, tokens: Tensor, pinned: Tensor, passes: int, draw: Draw) -> Tensor:
    """Fill in every token that is not pinned.

    Args:
        predict: maps tokens [batch, codebooks, frames] to logits [batch, newest frames, codebooks, entries];
            it may leave out the oldest frames if all of them are pinned.
        tokens: int64 [batch, codebooks, frames]; what stands where `pinned` is false is ignored.
        pinned: bool [codebooks, frames], the tokens that are given and never change.
        passes: calls of `predict`, at least 1.

    Returns:
        int64 [batch, codebooks, frames] without any masked token.
    """
    unpinned = int((~pinned).sum())
    tokens = torch.where(pinned, tokens, draw.mask_token)
    for finished in range(1, passes + 1):
        logits = predict(tokens)
        past, newest = tokens.split([tokens.shape[2] - logits.shape[1], logits.shape[1]], dim=2)
        filled, rank = draw.fill(newest, logits)
        count = int(unpinned * draw.unmasking.share(finished / passes) + 1e-9)
        tokens = torch.cat([past, draw.remask(filled, rank, count)], dim=2)
    return tokens


class Sampler(Protocol):
    """Makes the tokens of a stream's windows, one after the other."""

    def reset(self) -> None: ...

    def next_window(self, predict: Predict, passes: int, draw: Draw) -> Tensor: ...


class RestartingSampler:
    """Samples the windows of a stream, each anew; the tokens of what was given out are pinned."""

    def __init__(self, plan: WindowPlan, silent_frame: Tensor) -> None:
        self._plan, self._silent_frame = plan, silent_frame
        frame = torch.arange(plan.window_frames, device=silent_frame.device)
        self._pinned = (frame < plan.context_frames).expand(silent_frame.shape[1], -1)
        self.reset()

    def reset(self) -> None:
        """Begin a new stream, preceded by silence."""
        self._tokens = self._silent_frame.repeat(1, 1, self._plan.window_frames)

    def next_window(self, predict: Predict, passes: int, draw: Draw) -> Tensor:
        """Tokens of the next window, int64 [1, codebooks, window frames], none of them masked.

        The first `hop_frames` after the context are final. `predict` is that of `sample`.
        """
        tokens = sample(predict, self._tokens, self._pinned, passes, draw)
        self._tokens = tokens.roll(-self._plan.hop_frames, dims=2)
        return tokens
