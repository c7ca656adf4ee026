"""What torch raises when the card is full or lost is told from what a mistake in a program raises."""

import pytest
import torch

from model.errors import GraphicsCardError
from model.graphics_card import card_errors_told
from tests.failing_card import FULL, LIBRARY_FAILED, LOST

ENGINE = "was unable to find an engine to execute this computation"


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        LOST,
        LIBRARY_FAILED,
        torch.AcceleratorError("HIP error: an illegal memory access was encountered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
        RuntimeError("cuDNN Frontend error: [cudnn_frontend] Error: No execution plans support the graph."),
        RuntimeError("cuFFT error: CUFFT_INTERNAL_ERROR"),
        RuntimeError(f"FIND {ENGINE}"),
        RuntimeError(f"GET {ENGINE}"),
    ],
    ids=str,
)
def test_what_a_full_or_broken_card_raises_is_the_projects_error(error: RuntimeError) -> None:
    with pytest.raises(GraphicsCardError), card_errors_told():
        raise error


def test_a_mistake_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="cannot be multiplied"), card_errors_told():
        torch.ones(2, 3) @ torch.ones(2, 3)
