"""The ideal masks tell what any mask could do: nearer to the clean speech than the noise lets it be heard."""

import numpy as np
import pytest

from model.ideal_mask import ideal_masks
from model.judges import Audio
from model.measures import log_spectral_distance
from tests.signals import noise
from tests.voice import voice


def error_db(found: Audio, clean: Audio) -> float:
    return float(10 * np.log10(np.mean((found - clean) ** 2) / np.mean(clean**2)))


def test_phases_that_fit_bring_a_mask_nearer_to_the_clean_speech() -> None:
    clean = voice(2.0)
    heard = clean + 0.5 * noise(len(clean))
    masked, with_phases = (restore(heard, clean) for restore in ideal_masks().values())
    distances = [log_spectral_distance(clean, sound) for sound in (heard, masked, with_phases)]
    assert distances[0] > 1.5 * distances[1] > 1.5**2 * distances[2]


@pytest.mark.parametrize("system", ideal_masks())
def test_clean_speech_and_its_length_stay_as_they_are(system: str) -> None:
    clean = voice(1.0)[:40_001]
    assert error_db(ideal_masks()[system](clean, clean), clean) < -80.0


@pytest.mark.parametrize("system", ideal_masks())
def test_a_mask_adds_nothing(system: str) -> None:
    clean = voice(1.0)
    assert not np.any(ideal_masks()[system](np.zeros_like(clean), clean))
