"""The mean of restorers that were trained from one and the same: `python main.py bundle average`.

What one lost while it learned something else, another still has; their mean has most of both. (Wortsman et
al. 2022, Model soups, arXiv 2203.05482.)
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.bundle import Bundle, Tensors
from model.errors import BundleError


def average(bundles: Sequence[Bundle]) -> Bundle:
    """The mean of the language models of some `bundles`, of which there is at least one, with their codec.

    Raises:
        BundleError: their codecs are not the same, or their language models are of different shapes.
    """
    first, *others = bundles
    for other in others:
        if other.config != first.config or not _is_same(other.codec, first.codec):
            raise BundleError(
                "These bundles differ in their codec or shape: average those that `train lm --start` made of"
                " one and the same."
            )
    means = {name: _mean([b.language_model[name] for b in bundles]) for name in first.language_model}
    return Bundle(first.config, first.codec, means)


def _is_same(one: Tensors, other: Tensors) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def _mean(weights: Sequence[Tensor]) -> Tensor:
    return torch.stack([weight.float() for weight in weights]).mean(0).to(weights[0].dtype)
