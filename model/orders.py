"""Orders in which tokens may be decided, to be compared with the one in use (`main.py curve --orders`)."""

from collections.abc import Callable

import torch
from torch import Tensor

from model.masksr import MaskSR
from model.sampler import COARSE_FIRST, Unmasking, cosine_share, probability

PRIOR_FRAMES = 32


def orders(model: MaskSR) -> dict[str, Unmasking]:
    """The order in use, `coarse first`, and its rivals, by name."""
    return {
        "coarse first": COARSE_FIRST,
        "confidence alone": Unmasking(rank=probability),
        "calibrated by the prior": Unmasking(rank=calibrated_by(token_prior(model))),
        "coarse first, early": Unmasking(share=lambda progress: cosine_share(progress**0.5)),
        "coarse first, late": Unmasking(share=lambda progress: cosine_share(progress**2)),
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
