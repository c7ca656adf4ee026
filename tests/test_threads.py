"""Restoring leaves room for the other programs of a call."""

import os
from collections.abc import Iterator

import pytest
import torch

from realtime.threads import leave_room


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (6, 3), (64, 4), (None, 1)])
def test_half_of_the_cores_are_left(monkeypatch: pytest.MonkeyPatch, cores: int | None, threads: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    leave_room()
    assert torch.get_num_threads() == threads
