"""Where the time of a hop goes."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter

Timer = Callable[
    [str], AbstractContextManager[object]
]  # `contextlib.nullcontext` is one that measures nothing


class Stopwatch:
    """A `Timer` whose `laps` are the seconds that each named part took, time by time.

    `wait` returns once the device has finished what it was given.
    """

    def __init__(self, wait: Callable[[], None]) -> None:
        self._wait = wait
        self.laps: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        self._wait()
        started = perf_counter()
        yield
        self._wait()
        self.laps[part].append(perf_counter() - started)
