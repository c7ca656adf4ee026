"""The measures that need no package give the figures that can be worked out by hand."""

import numpy as np
import pytest

from model.measures import level_change_db, log_spectral_distance, treble_change_db
from model.plan import SAMPLE_RATE_HZ
from tests.voice import Audio, voice


@pytest.fixture(scope="module")
def clean() -> Audio:
    return voice(1.0)


def test_distance_is_zero_for_the_same_sound_at_any_level(clean: Audio) -> None:
    assert log_spectral_distance(clean, clean) == 0.0
    assert log_spectral_distance(clean, 0.25 * clean) == pytest.approx(0.0, abs=1e-5)


def test_distance_grows_with_noise(clean: Audio) -> None:
    noise = np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    distances = [log_spectral_distance(clean, clean + level * noise) for level in (0.001, 0.01, 0.1)]
    assert 0.0 < distances[0] < distances[1] < distances[2]


def test_distance_is_in_powers_of_ten() -> None:
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    other = np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    # log10 of a chi-square variable of 2 degrees has variance (pi^2 / 6) / ln(10)^2; two are independent
    assert log_spectral_distance(noise, other) == pytest.approx(np.pi / np.sqrt(3) / np.log(10), rel=0.03)


def test_distance_to_silence_is_finite(clean: Audio) -> None:
    assert np.isfinite(log_spectral_distance(clean, np.zeros_like(clean)))


def test_level_change_follows_gain_down_to_silence(clean: Audio) -> None:
    assert level_change_db(clean, 0.1 * clean) == pytest.approx(-20.0, abs=1e-3)
    assert level_change_db(clean, np.zeros_like(clean)) == -120.0


def test_treble_change_looks_above_12_khz_only() -> None:
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    low, high = (np.sin(2 * np.pi * hz * time_s).astype(np.float32) for hz in (1000, 15_000))
    assert treble_change_db(low + high, 0.1 * high) == pytest.approx(-20.0, abs=0.1)
    assert treble_change_db(low + high, low) < -80.0
