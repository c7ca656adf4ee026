"""Examples made in the background while the network learns from those before."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Prefetch(Generic[Item]):
    """Makes numbered items in threads, some ahead of the one that is taken, while the context is open."""

    def __init__(self, make: Callable[[int], Item], last: int, threads: int) -> None:
        """Items are numbered up to and without `last`."""
        self._make, self._last, self._threads = make, last, threads
        self._coming: dict[int, Future[Item]] = {}

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self._threads, "prefetch")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self, number: int) -> Item:
        """The item of this number; those that follow are begun."""
        for wanted in range(number, min(number + self._threads + 1, self._last)):
            if wanted not in self._coming:
                self._coming[wanted] = self._pool.submit(self._make, wanted)
        return self._coming.pop(number).result()
