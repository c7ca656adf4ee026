"""What becomes of restoring when the memory of the graphics card is full."""

import warnings
from collections.abc import Callable
from typing import TypeVar

from model.errors import GraphicsMemoryError

Result = TypeVar("Result")


def with_or_without(attempt: Callable[[bool], Result]) -> Result:
    """What `attempt` gives; it is told to keep to the processor once it has found the card full."""
    try:
        return attempt(False)
    except GraphicsMemoryError as error:
        warnings.warn(error.notice, stacklevel=2)
    return attempt(True)  # now that the error has gone, and with it what held the card's memory
