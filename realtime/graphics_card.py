"""What becomes of restoring when the graphics card is full or lost."""

import warnings
from collections.abc import Callable
from typing import TypeVar

from model.errors import GraphicsCardError

Result = TypeVar("Result")


def with_or_without(attempt: Callable[[bool], Result]) -> Result:
    """What `attempt` gives; it is told to keep to the processor once the card has failed."""
    try:
        return attempt(False)
    except GraphicsCardError as error:
        warnings.warn(error.notice, stacklevel=2)
    return attempt(True)  # now that the error has gone, and with it what held the card's memory
