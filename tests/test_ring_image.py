"""The newest columns stand in order, before and after the ring has gone round."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gui.ring_image import RingImage

ROWS, COLUMNS = 3, 8


@given(st.lists(st.integers(0, 2 * COLUMNS), max_size=12))
def test_the_newest_columns_stand_in_order(sizes: list[int]) -> None:
    image, number = RingImage(ROWS, COLUMNS), 0
    whole: NDArray[np.uint8] = np.zeros((COLUMNS, ROWS), np.uint8)
    for size in sizes:
        columns = (np.arange(number, number + size)[:, None] * ROWS + np.arange(ROWS)).astype(np.uint8)
        image.push(columns)
        whole, number = np.concatenate((whole, columns)), number + size
        assert np.array_equal(image.newest, whole[-COLUMNS:].T)


def test_a_cleared_image_is_dark() -> None:
    image = RingImage(ROWS, COLUMNS)
    image.push(np.full((5, ROWS), 255, np.uint8))
    image.clear()
    assert not image.newest.any()
