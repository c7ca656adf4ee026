"""A picture that scrolls without being moved."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class RingImage:
    """The newest `columns` columns of an endless picture.

    Every column is written twice, one width apart, so that the newest ones always lie side by side.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._pixels: Pixels = np.zeros((rows, 2 * columns), np.uint8)
        self._columns = columns
        self._oldest = 0

    def push(self, columns: Pixels) -> None:
        """Append uint8 [n, rows], forgetting the oldest n columns."""
        newest = columns[-self._columns :]
        places = (self._oldest + np.arange(len(newest))) % self._columns
        self._pixels[:, places] = self._pixels[:, places + self._columns] = newest.T
        self._oldest = (self._oldest + len(newest)) % self._columns

    def clear(self) -> None:
        self._pixels[:] = 0

    @property
    def newest(self) -> Pixels:
        """uint8 [rows, columns], the oldest column first: a view, valid until the next `push`."""
        return self._pixels[:, self._oldest : self._oldest + self._columns]
