"""Which tokens a training example hides: every state that sampling, whole or streamed, will meet."""

import math

import torch
from torch import Tensor


def draw_mask(shape: torch.Size, newest_frames: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Masked places, bool [batch, codebooks, frames].

    The share masked is cos(pi/2 * r), r ~ U(0, 1) (MaskSR). Half the examples pin all but the newest frames,
    as a stream does; `newest_frames` bounds how many those are. Half hide tokens at random and half
    the finer codebooks first, since sampling may fill the grid in either order.
    """
    batch, codebooks, frames = shape
    share = torch.cos(math.pi / 2 * torch.rand(batch, 1, 1, generator=generator))
    noise = torch.rand(batch, codebooks, frames, generator=generator)
    level = torch.arange(codebooks)[None, :, None]
    by_level = (torch.rand(batch, 1, 1, generator=generator) < 0.5).float()
    # A rank in [0, 1): of a token among all, either by chance alone or by codebook and then chance.
    rank = torch.lerp(noise, (level + noise) / codebooks, by_level)
    masked = rank >= 1 - share
    low, high = newest_frames
    newest = torch.randint(low, high + 1, (batch, 1, 1), generator=generator)
    streamed = torch.rand(batch, 1, 1, generator=generator) < 0.5
    recent = torch.arange(frames)[None, None] >= frames - newest
    return masked & (recent | ~streamed)
