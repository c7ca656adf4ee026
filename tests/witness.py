"""Tells whether other programs of the machine took the time that sound needs."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from time import monotonic, sleep

from realtime.model_process import LEAST_SECONDS, NICENESS, POLL_SECONDS
from realtime.processes import settle_in


class Witness:
    """A process as urgent as the model's, that only wants to be woken in time."""

    def __init__(self, longest_wait_seconds: "Synchronized[float]") -> None:
        self._longest_wait_seconds = longest_wait_seconds

    @property
    def saw_starving(self) -> bool:
        return self._longest_wait_seconds.value > LEAST_SECONDS


@contextmanager
def witness() -> Iterator[Witness]:
    """A witness of what happens meanwhile."""
    context = multiprocessing.get_context("spawn")
    longest_wait_seconds = context.Value("d", 0.0)
    process = context.Process(target=_watch, args=(longest_wait_seconds,), daemon=True)
    process.start()
    try:
        yield Witness(longest_wait_seconds)
    finally:
        process.kill()
        process.join()


def _watch(longest_wait_seconds: "Synchronized[float]") -> None:
    settle_in(NICENESS)
    while True:
        begun = monotonic()
        sleep(POLL_SECONDS)
        wait_seconds = monotonic() - begun - POLL_SECONDS
        longest_wait_seconds.value = max(longest_wait_seconds.value, wait_seconds)
