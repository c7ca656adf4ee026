"""Use of one thing by several threads, who have to be done with it before it can be changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class SharedUse:
    """Many may be `using` it at a time, or one be `alone` with it."""

    def __init__(self) -> None:
        self._users, self._ended = 0, Condition()

    @contextmanager
    def using(self) -> Iterator[None]:
        with self._ended:
            self._users += 1
        try:
            yield
        finally:
            with self._ended:
                self._users -= 1
                self._ended.notify_all()

    @contextmanager
    def alone(self, patience_seconds: float) -> Iterator[bool]:
        """Yields whether nobody uses it, after waiting for that; nobody begins to meanwhile."""
        with self._ended:
            yield self._ended.wait_for(lambda: not self._users, patience_seconds)
