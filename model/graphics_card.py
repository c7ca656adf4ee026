"""Tells what goes wrong with the graphics card from what else may."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from model.errors import GraphicsCardError

BEGINNINGS = (  # of what torch says when the card or its libraries fail
    "CUDA ",
    "cuDNN ",
    "cuFFT error",  # pytorch#119420
    "FIND was unable to find an engine",  # pytorch#108645: cuDNN found none for want of memory
    "GET was unable to find an engine",
)


def is_of_the_card(error: RuntimeError) -> bool:
    """Whether torch raised `error` because the card is full, or does not work any more."""
    is_told_by_type = isinstance(error, (torch.OutOfMemoryError, torch.AcceleratorError))
    return is_told_by_type or str(error).startswith(BEGINNINGS)


@contextmanager
def card_errors_told() -> Iterator[None]:
    """Raises GraphicsCardError for what goes wrong with the card within."""
    try:
        yield
    except RuntimeError as error:
        if is_of_the_card(error):
            raise GraphicsCardError from None
        raise
