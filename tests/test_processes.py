"""Processes behave towards the system and each other."""

import gc
import multiprocessing
from threading import Thread
from time import sleep
from weakref import ref

import pytest

from realtime.processes import lasting, settle_in


def test_what_lasts_is_not_looked_through_for_garbage() -> None:
    frozen = gc.get_freeze_count()
    try:
        with pytest.raises(ValueError, match="bad"), lasting():
            assert not gc.isenabled()
            raise ValueError("bad")
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


class Loop:
    """Goes when garbage is collected, and not before."""

    def __init__(self) -> None:
        self.itself = self


def test_what_had_its_time_is_freed_by_the_next_one() -> None:
    try:
        with lasting():
            old = ref(Loop())
        gc.collect()
        assert old() is not None
        with lasting():
            assert old() is None
    finally:
        gc.unfreeze()


def lose_a_thread() -> None:
    settle_in(0)
    Thread(target=[].pop).start()
    sleep(1000.0)


def test_a_process_does_not_go_on_without_one_of_its_threads() -> None:
    process = multiprocessing.get_context("spawn").Process(target=lose_a_thread)
    process.start()
    process.join()
    assert process.exitcode == 1
