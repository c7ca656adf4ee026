"""Signals on their way to the graphics card and back, through pinned memory, which it reads by itself."""

import torch
from torch import Tensor


def to_device(signal: Tensor, device: torch.device) -> Tensor:
    """Send what is on the CPU; nobody waits for its arrival."""
    return signal.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else signal


def to_host(signal: Tensor) -> Tensor:
    """Fetch to the CPU, once it is computed."""
    if signal.device.type != "cuda":
        return signal
    return torch.empty_like(signal, device="cpu", pin_memory=True).copy_(signal)
