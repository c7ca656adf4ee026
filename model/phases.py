"""Phases for the magnitudes that a mask leaves: those of the noise sound rough under the voice."""

import torch
from torch import Tensor

from model.stft import Stft


def fit_phases(stft: Stft, spectrum: Tensor, trust: Tensor | float, rounds: int) -> Tensor:
    """Search phases that fit the magnitudes and each other, as Griffin and Lim (1984) do.

    Args:
        spectrum: as `stft` makes it, complex64 [batch, frames, bins]; its phases are where it starts.
        trust: how far these are believed in each round, 0 to 1.

    Returns:
        the same magnitudes with other phases; gradients reach the magnitudes alone.
    """
    phases = start = spectrum.detach()
    magnitudes = start.abs()
    for _ in range(rounds):
        fitting = stft.analyse(stft.synthesise(magnitudes * torch.sgn(phases)))
        phases = fitting + trust * (start - fitting)
    return spectrum.abs() * torch.sgn(phases)
