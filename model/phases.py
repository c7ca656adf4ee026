"""Phases for the magnitudes that a mask leaves: those of the noise sound rough under the voice."""

import torch
from torch import Tensor

from model.stft import Stft

_MOMENTUM = 0.99  # as Perraudin et al. 2013 found best


def fit_phases(stft: Stft, spectrum: Tensor, trust: Tensor | float, rounds: int) -> Tensor:
    """Search phases that fit the magnitudes and each other.

    It goes round as Griffin and Lim (1984) do, each time on in the direction that the round before took
    (Perraudin, Balazs and Sondergaard 2013, A fast Griffin-Lim algorithm).

    Args:
        spectrum: as `stft` makes it, complex64 [batch, frames, bins]; its phases are where it starts.
        trust: how far these are believed in each round, 0 to 1.

    Returns:
        the same magnitudes with other phases; gradients reach the magnitudes alone.
    """
    phases = start = spectrum.detach()
    magnitudes, before = _pairs(start.abs()), None
    trust = _pairs(trust) if isinstance(trust, Tensor) else trust
    for _ in range(rounds):
        fitting = torch.view_as_real(stft.analyse(stft.synthesise(_turned(magnitudes, phases))))
        ahead = fitting if before is None else before.lerp(fitting, 1 + _MOMENTUM)
        phases, before = torch.view_as_complex(ahead.lerp(torch.view_as_real(start), trust)), fitting
    return spectrum.abs() * phases.sgn()


def _turned(magnitudes: Tensor, phases: Tensor) -> Tensor:
    return torch.view_as_complex(magnitudes * torch.view_as_real(phases.sgn()))


def _pairs(values: Tensor) -> Tensor:
    """For real and imaginary parts: times complex ones, real numbers would be made complex every time."""
    return values[..., None].repeat_interleave(2, -1)
