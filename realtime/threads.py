"""How many threads restoring may take, and threads that work while a context is open."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

MOST = 4  # a hop's layers are too small to gain from more


def leave_room() -> None:
    """Have torch compute on half of the cores: the other half is the call program's and the window's.

    On two busy cores a hop takes no longer on one thread than on two that wait for each other.
    """
    import torch

    torch.set_num_threads(max(1, min(MOST, (os.cpu_count() or 1) // 2)))


@contextmanager
def in_background(work: Callable[[Event], None], name: str) -> Iterator[None]:
    """Have a thread of that name do `work` meanwhile, which has to end soon after its event is set."""
    stopping = Event()
    thread = Thread(target=work, args=(stopping,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
