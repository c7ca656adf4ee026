"""How much of the processor restoring may take."""

import os

MOST = 4  # a hop's layers are too small to gain from more


def leave_room() -> None:
    """Have torch compute on half of the cores: the other half is the call program's and the window's.

    On two busy cores a hop takes no longer on one thread than on two that wait for each other.
    """
    import torch

    torch.set_num_threads(max(1, min(MOST, (os.cpu_count() or 1) // 2)))
