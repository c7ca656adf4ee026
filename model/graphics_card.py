"""Tells what goes wrong with the graphics card from what else may."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from model.errors import GraphicsCardError

BEGINNINGS = ("CUDA ", "cuDNN error")  # of what torch says when the card or its libraries fail


def is_of_the_card(error: RuntimeError) -> bool:
    """Whether torch raised `error` because the card is full, or does not work any more."""
    return isinstance(error, torch.OutOfMemoryError) or str(error).startswith(BEGINNINGS)


@contextmanager
def card_errors_told() -> Iterator[None]:
    """Raises GraphicsCardError for what goes wrong with the card within."""
    try:
        yield
    except RuntimeError as error:
        if is_of_the_card(error):
            raise GraphicsCardError from None
        raise
