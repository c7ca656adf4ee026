"""What no mask over a noisy spectrum can do better: the gains of one who knows the clean speech."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from model.evaluate import Audio, Ideal
from model.phases import fit_phases
from model.plan import FRAME_SAMPLES
from model.stft import Stft

_PHASE_ROUNDS = 20  # more change little


def ideal_masks() -> dict[str, Ideal]:
    """By name: with the phases of the noisy spectrum, and with those that fit its new magnitudes."""
    return {
        "ideal mask": partial(_mask, phase_rounds=0),
        "ideal mask, phases": partial(_mask, phase_rounds=_PHASE_ROUNDS),
    }


def _mask(heard: Audio, clean: Audio, phase_rounds: int) -> Audio:
    """No bin is louder than it was."""
    stft = Stft()
    noisy, wanted = (stft.analyse(_padded(sound)) for sound in (heard, clean))
    magnitudes = torch.minimum(noisy.abs(), wanted.abs())
    spectrum = fit_phases(stft, magnitudes * torch.sgn(noisy), trust=0.0, rounds=phase_rounds)
    masked: Audio = stft.synthesise(spectrum)[0, : len(heard)].numpy()
    return masked


def _padded(sound: Audio) -> Tensor:
    """To whole frames, [1, samples]."""
    return torch.from_numpy(np.pad(sound, (0, -len(sound) % FRAME_SAMPLES)))[None]
