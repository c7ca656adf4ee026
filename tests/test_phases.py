"""Phases that were searched fit what a mask leaves better than the noise did, and change nothing else."""

import soxr
import torch
from torch import Tensor

from model.phases import fit_phases
from model.plan import FRAME_SAMPLES
from model.stft import BINS, WINDOW_SAMPLES, Stft
from tests.signals import noise
from tests.voice import voice

FRAMES = 80
SAMPLES = FRAMES * FRAME_SAMPLES


def spoken() -> Tensor:
    return torch.from_numpy(voice(1.0)[:SAMPLES])[None]


def masked(stft: Stft) -> tuple[Tensor, Tensor]:
    """What a perfect mask leaves of noisy speech, and the speech."""
    clean = stft.analyse(spoken())
    noisy = stft.analyse(spoken() + torch.from_numpy(noise(SAMPLES)))
    return clean.abs() * torch.sgn(noisy), clean


def misfit(stft: Stft, spectrum: Tensor) -> float:
    """How far the magnitudes of its sound are from those that it asks for."""
    sounds = stft.analyse(stft.synthesise(spectrum)).abs()
    return float((sounds - spectrum.abs()).square().sum() / spectrum.abs().square().sum())


def test_phases_are_found_that_fit() -> None:
    stft = Stft()
    rough, _ = masked(stft)
    fitted = fit_phases(stft, rough, trust=0.0, rounds=3)
    torch.testing.assert_close(fitted.abs(), rough.abs())
    assert misfit(stft, fitted) < 0.4 * misfit(stft, rough)  # 0.43 without momentum


def test_what_is_trusted_stays_and_guides_the_rest() -> None:
    stft = Stft()
    rough, clean = masked(stft)
    torch.testing.assert_close(fit_phases(stft, rough, trust=1.0, rounds=3), rough)
    known = (torch.arange(FRAMES) % 2)[:, None].expand(FRAMES, BINS).bool()
    half = torch.where(known, clean, rough)
    fitted = fit_phases(stft, half, trust=known.float(), rounds=10)
    torch.testing.assert_close(fitted[:, known], clean[:, known])
    assert (fitted - clean).abs().square().sum() < 0.7 * (half - clean).abs().square().sum()


def test_silence_stays_silent() -> None:
    stft = Stft()
    silence = torch.zeros(1, FRAMES, BINS, dtype=torch.complex64)
    assert not fit_phases(stft, silence, trust=0.0, rounds=3).any()


def test_magnitudes_learn() -> None:
    stft = Stft()
    gain = torch.ones(1, FRAMES, 1, requires_grad=True)
    fitted = fit_phases(stft, gain * masked(stft)[0], trust=0.5, rounds=2)
    fitted.abs().square().sum().backward()
    assert gain.grad is not None and gain.grad.min() >= 0.0 and gain.grad.max() > 0.0


def test_a_smaller_window_sees_the_same_bins_at_a_lower_rate() -> None:
    window_samples = 768
    low = soxr.resample(spoken()[0].numpy(), WINDOW_SAMPLES, window_samples)
    bins = slice(1, 300)  # below, and above, what resampling changes
    expected = Stft().analyse(spoken())[..., bins]
    found = Stft(window_samples).analyse(torch.from_numpy(low)[None])[..., bins]
    error = found * WINDOW_SAMPLES / window_samples - expected
    assert error.abs().square().sum() < 1e-3 * expected.abs().square().sum()
