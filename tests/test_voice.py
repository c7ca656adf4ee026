"""Voices made out of others differ in pitch, tempo and formants, each as it says."""

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from model.plan import SAMPLE_RATE_HZ
from model.voice import move_formants, vary_voice

FORMANT_HZ = 1500.0
PITCH_HZ = 125.0
BAND_HZ = 16_000
Audio = NDArray[np.float32]


def vowel(samples: int, rng: np.random.Generator | None = None) -> Audio:
    """A pulse train through one resonance."""
    pulses = np.zeros(samples, np.float32)
    pulses[:: round(SAMPLE_RATE_HZ / PITCH_HZ)] = 1.0
    peak = scipy.signal.iirpeak(FORMANT_HZ, Q=5, fs=SAMPLE_RATE_HZ)
    return scipy.signal.lfilter(*peak, pulses).astype(np.float32)


def banded_vowel(samples: int, rng: np.random.Generator) -> tuple[Audio, int]:
    return vowel(samples), BAND_HZ


def pitch_hz(speech: Audio) -> float:
    correlation = scipy.signal.correlate(speech, speech)[len(speech) :]
    shortest, longest = SAMPLE_RATE_HZ // 200, SAMPLE_RATE_HZ // 90
    return SAMPLE_RATE_HZ / (1 + shortest + int(np.argmax(correlation[shortest:longest])))


def formant_hz(speech: Audio) -> float:
    hz, power = scipy.signal.welch(speech, SAMPLE_RATE_HZ, nperseg=8192)
    near = (hz > 500) & (hz < 4000)
    return float(np.average(hz[near], weights=power[near] ** 2))


@pytest.mark.parametrize("factor", [0.87, 1.0, 1.15])
def test_formants_move_and_the_pitch_stays(factor: float) -> None:
    speech = vowel(SAMPLE_RATE_HZ)
    moved = move_formants(speech, factor)
    assert len(moved) == len(speech)
    assert pitch_hz(moved) == pytest.approx(pitch_hz(speech), rel=0.01)
    assert formant_hz(moved) == pytest.approx(formant_hz(speech) * factor, rel=0.04)


def test_varied_voices_differ_in_pitch_and_formants() -> None:
    spoken = [vary_voice(banded_vowel, SAMPLE_RATE_HZ, np.random.default_rng(seed)) for seed in range(12)]
    voices, bands_hz = zip(*spoken, strict=True)
    assert {len(voice) for voice in voices} == {SAMPLE_RATE_HZ}
    pitches = np.array([pitch_hz(voice) for voice in voices]) / PITCH_HZ
    formants = np.array([formant_hz(voice) for voice in voices]) / FORMANT_HZ
    assert 0.8 < pitches.min() < 0.9 and 1.1 < pitches.max() < 1.25
    assert np.std(formants / pitches) > 0.03
    np.testing.assert_allclose(np.array(bands_hz) / BAND_HZ, pitches, rtol=0.01)


def test_silence_stays_silent() -> None:
    assert not move_formants(np.zeros(20_000, np.float32), 1.1).any()
