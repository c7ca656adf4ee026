"""The losses measure what they say, and teach critic, codec and speech encoder what they should."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from model.discriminator import Discriminator, adversarial_loss, discriminator_loss, feature_loss
from model.losses import (
    MultiScaleMelLoss,
    enhancement_loss,
    limit_bands,
    mel_filters,
    resynthesis_loss,
)
from model.plan import SAMPLE_RATE_HZ
from tests.signals import noise, tone

SCALES = {1024: 40, 256: 20}
SAMPLES = 8192


def batch(*signals: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Tensor:
    return torch.from_numpy(np.stack(signals))


@pytest.mark.parametrize(("fft_size", "bands"), [(2048, 160), (1024, 100), (512, 50), (256, 30)])
def test_every_mel_band_hears_its_own_stretch_of_the_spectrum(fft_size: int, bands: int) -> None:
    filters = mel_filters(fft_size, bands)
    assert filters.shape == (fft_size // 2 + 1, bands)
    assert (filters >= 0).all()
    torch.testing.assert_close(filters.sum(0), torch.ones(bands))
    centres = (filters * torch.arange(len(filters))[:, None]).sum(0)
    assert (centres.diff() > -1e-4).all()


def test_a_tone_is_loudest_in_the_band_of_its_mel_frequency() -> None:
    bands, hz = 80, 1000.0
    spectrum = torch.stft(
        torch.from_numpy(tone(SAMPLES, hz=hz)), 2048, window=torch.hann_window(2048), return_complex=True
    )
    loudest = int((spectrum.abs().mean(1) @ mel_filters(2048, bands)).argmax())
    mel, top_mel = (2595 * math.log10(1 + f / 700) for f in (hz, SAMPLE_RATE_HZ / 2))
    assert loudest == pytest.approx(mel / top_mel * (bands + 1) - 1, abs=1)


def test_equal_signals_cost_nothing_and_unlike_ones_more() -> None:
    loss, clean = MultiScaleMelLoss(SCALES), batch(noise(SAMPLES), tone(SAMPLES))
    disturbed = [clean + amount * batch(noise(SAMPLES, 1), noise(SAMPLES, 2)) for amount in (0.0, 0.05, 0.5)]
    costs = [float(loss(estimate, clean, turn=0)) for estimate in disturbed]
    assert costs[0] == 0
    assert costs[0] < costs[1] < costs[2]


def test_half_the_level_costs_six_decibels_at_each_scale() -> None:
    loud = batch(noise(SAMPLES))
    for turn in (0, 1):
        cost = float(MultiScaleMelLoss(SCALES)(loud / 2, loud, turn))
        assert cost == pytest.approx(2 * math.log10(2), rel=1e-3)


def test_differences_below_the_floor_cost_nothing() -> None:
    faint = batch(noise(SAMPLES)) * 1e-6
    assert float(MultiScaleMelLoss(SCALES)(faint, 0 * faint, turn=0)) == 0


def test_silence_has_finite_gradients() -> None:
    silence = torch.zeros(1, SAMPLES, requires_grad=True)
    MultiScaleMelLoss(SCALES)(silence, batch(noise(SAMPLES)), turn=0).backward()
    assert silence.grad is not None
    assert silence.grad.isfinite().all()


def critic() -> Discriminator:
    torch.manual_seed(0)
    return Discriminator([256], [2, 3], 4)


def test_the_critic_learns_to_tell_real_from_fake() -> None:
    judge, real, fake = critic(), batch(tone(2048)), batch(noise(2048))
    optimizer = torch.optim.Adam(judge.parameters(), 5e-3)
    for turn in range(40):
        loss = discriminator_loss(judge(real, turn), judge(fake, turn))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for turn in range(2):
        verdicts = [float(adversarial_loss(judge(sound, turn)).detach()) for sound in (real, fake)]
        assert verdicts[0] + 0.3 < verdicts[1]


def test_features_of_equal_sounds_are_equal_and_teach_the_fake_alone() -> None:
    judge = critic()
    real, fake = (batch(noise(SAMPLES, seed)).requires_grad_() for seed in (0, 1))
    assert float(feature_loss(judge(real, 0), judge(real, 0)).detach()) == 0
    feature_loss(judge(real, 0), judge(fake, 0)).backward()
    assert real.grad is None
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0


@pytest.mark.parametrize("samples", [1000, 1001, 4096])
def test_the_critic_judges_any_length(samples: int) -> None:
    judge, signals = critic(), batch(noise(samples), noise(samples, 1))
    verdicts = [maps[-1] for turn in range(2) for maps in judge(signals, turn)]
    assert len(verdicts) == 4
    assert all(len(verdict) == 2 and verdict.isfinite().all() for verdict in verdicts)


def test_every_member_of_the_critic_has_its_turn() -> None:
    judge, sound = Discriminator([256, 128], [2, 3, 5], 2), batch(noise(2048))
    adversarial_loss(judge(sound, 0)).backward()
    assert any(parameter.grad is None for parameter in judge.parameters())
    for turn in (1, 2):
        adversarial_loss(judge(sound, turn)).backward()
    assert all(parameter.grad is not None for parameter in judge.parameters())


def test_nothing_above_a_narrow_band_counts() -> None:
    low, high = (torch.from_numpy(tone(8192, hz=hz)) for hz in (1000.0, 18_000.0))
    both = torch.stack([low + high, low + high])
    limited = limit_bands(both, torch.tensor([16_000, 22_050]))
    torch.testing.assert_close(limited[0, 500:-500], low[500:-500], atol=0.02, rtol=0)
    torch.testing.assert_close(limited[1], both[1], atol=1e-5, rtol=0)


def in_band(seed: int, treble: bool) -> Tensor:
    """Noise below or above 8 kHz."""
    spectrum = torch.fft.rfft(0.05 * torch.from_numpy(noise(4 * SAMPLES, seed))[None])
    above = torch.linspace(0, SAMPLE_RATE_HZ / 2, spectrum.shape[1]) > 8000
    return torch.fft.irfft(spectrum * (above == treble))


@pytest.mark.parametrize("window_samples", [1024, 2048])
def test_enhanced_speech_loses_nothing_where_it_is_the_target(window_samples: int) -> None:
    target = in_band(1, treble=False) + in_band(2, treble=True)
    assert enhancement_loss(target, target, window_samples) == 0
    errors = [
        enhancement_loss(target + level * in_band(3, False), target, window_samples) for level in (0.1, 1)
    ]
    assert 0 < errors[0] < errors[1]


@pytest.mark.parametrize("window_samples", [1024, 2048])
def test_other_noise_may_stand_for_treble_and_not_for_speech_below(window_samples: int) -> None:
    def loss(seed: int, treble: bool) -> float:
        """Of noise of this seed, or silence, in the place of another."""
        estimate = in_band(seed, treble) if seed else torch.zeros(1, 4 * SAMPLES)
        return float(enhancement_loss(estimate, in_band(1, treble), window_samples))

    assert loss(2, treble=True) < 0.2 * loss(0, treble=True)
    assert loss(2, treble=False) > 0.5 * loss(0, treble=False)


@pytest.mark.parametrize("window_samples", [1024, 2048])
def test_to_take_speech_away_costs_more_than_to_leave_as_much_noise(window_samples: int) -> None:
    target = in_band(1, treble=False)
    power = 0.3
    half = 0.5**power  # of compressed magnitudes
    quieter, louder = (
        enhancement_loss(share ** (1 / power) * target, target, window_samples) for share in (half, 2 - half)
    )
    assert quieter > 1.5 * louder


def test_silence_teaches_in_finite_steps() -> None:
    estimate = torch.zeros(1, SAMPLES, requires_grad=True)
    enhancement_loss(estimate, torch.from_numpy(noise(SAMPLES))[None], 1024).backward()
    assert estimate.grad is not None
    assert estimate.grad.isfinite().all()


def test_resynthesis_costs_nothing_where_it_is_perfect_and_more_the_worse_it_is() -> None:
    clean = 0.06 * batch(noise(SAMPLES), tone(SAMPLES))
    costs = [
        float(resynthesis_loss(clean + amount * batch(noise(SAMPLES, 1), noise(SAMPLES, 2)), clean, 512))
        for amount in (0.0, 0.003, 0.03)
    ]
    assert costs[0] == 0
    assert costs[0] < costs[1] < costs[2]


def test_other_noise_as_loud_stands_for_noise_higher_up_alone() -> None:
    """Of treble, tokens tell levels; of the voice below, waves."""
    low, high = ((batch(noise(16 * SAMPLES, seed)) for seed in (1, 2)) for _ in range(2))
    costs = {}
    for name, pair, (first, last) in (("low", low, (200.0, 3000.0)), ("high", high, (5000.0, 20_000.0))):
        one, other = (band_of(signal, first, last) for signal in pair)
        costs[name] = float(resynthesis_loss(one, other, 512) / resynthesis_loss(0 * one, other, 512))
    assert costs["high"] < 0.5 * costs["low"]


def band_of(signal: Tensor, low_hz: float, high_hz: float) -> Tensor:
    hz = torch.fft.rfftfreq(signal.shape[-1], 1 / SAMPLE_RATE_HZ)
    return torch.fft.irfft(torch.fft.rfft(0.06 * signal) * ((hz > low_hz) & (hz < high_hz)))
