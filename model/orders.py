"""Orders in which tokens may be decided, to be compared with the one in use (`main.py curve --orders`)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from model.masksr import MaskSR
from model.rolling import LATE, LATENESS, late_share
from model.sampler import Unmasking, probability

PRIOR_FRAMES = 32
SEARCHED_LATENESS = (0.5, 1.0, 2.0, LATENESS, 8.0)


def orders(model: MaskSR) -> dict[str, Unmasking]:
    """Orders for rolling sampling: `coarse first` by several schedules, and two rivals, by name."""
    schedules = {
        f"coarse first, lateness {lateness:g}": Unmasking(share=partial(late_share, lateness=lateness))
        for lateness in SEARCHED_LATENESS
    }
    return schedules | {
        "confidence alone": replace(LATE, rank=probability),
        "calibrated by the prior": replace(LATE, rank=calibrated_by(token_prior(model))),
    }


@torch.no_grad()
def token_prior(model: MaskSR) -> Tensor:
    """How probable the model holds each token when it hears nothing, float32 [codebooks, entries]."""
    language_model = model.language_model
    nothing = language_model.no_condition.expand(1, PRIOR_FRAMES, -1)
    masked = torch.full((1, model.codec.codebooks, PRIOR_FRAMES), model.mask_token, device=model.device)
    return language_model(masked, nothing).float().softmax(-1).mean((0, 1))


def calibrated_by(prior: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Ranks by log-probability minus log-prior, since mere probability favours frequent tokens."""

    def rank(logits: Tensor, tokens: Tensor) -> Tensor:
        expected = prior.expand_as(logits).gather(-1, tokens[..., None]).squeeze(-1)
        return probability(logits, tokens).log() - expected.log()

    return rank
