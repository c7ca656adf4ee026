"""The mean of restorers that were trained from one and the same: `python main.py bundle average`.

What one lost while it learned something else, another still has; their mean has most of both. (Wortsman et
al. 2022, Model soups, arXiv 2203.05482.)
"""

from collections.abc import Sequence

import torch

from model.bundle import Bundle, Tensors
from model.errors import BundleError


def average(bundles: Sequence[Bundle]) -> Bundle:
    """The mean of some `bundles`, of which there is at least one; their codecs may differ in the decoder.

    Raises:
        BundleError: their codecs do not make the same tokens, or they are of different shapes.
    """
    first, *others = bundles
    for other in others:
        if other.config != first.config or not _make_the_same_tokens(other.codec, first.codec):
            raise BundleError(
                "These bundles differ in their tokens or shape: average those that `--start` made of one and"
                " the same."
            )
    codec, language_model = (
        _mean([getattr(bundle, part) for bundle in bundles]) for part in ("codec", "language_model")
    )
    return Bundle(first.config, codec, language_model)


def _make_the_same_tokens(one: Tensors, other: Tensors) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one if not name.startswith("decoder."))


def _mean(parts: Sequence[Tensors]) -> Tensors:
    return {
        name: torch.stack([part[name].float() for part in parts]).mean(0).to(weight.dtype)
        for name, weight in parts[0].items()
    }
