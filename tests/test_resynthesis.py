"""Speech goes through the codec whole, or frame by frame as windows of a stream would cut it."""

import numpy as np
import pytest
import torch

from model.arrays import FloatArray
from model.bundle import Bundle, BundleConfig
from model.codec import build_dac
from model.plan import FRAME_SAMPLES
from model.resynthesis import Resynthesizer
from tests.codecs import small_codec
from tests.signals import noise

SAMPLES = 40 * FRAME_SAMPLES - 100
INNER = slice(14 * FRAME_SAMPLES, -14 * FRAME_SAMPLES)
LATER = slice(17 * FRAME_SAMPLES, None)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    torch.manual_seed(0)
    config = small_codec(codebooks=2)
    return Bundle(BundleConfig(codec=config), build_dac(config).state_dict())


def frame_powers(audio: FloatArray) -> FloatArray:
    return np.square(np.pad(audio, (0, 100)).reshape(-1, FRAME_SAMPLES)).mean(1)


def test_with_all_of_the_future_in_sight_frames_are_those_of_the_whole(bundle: Bundle) -> None:
    speech = noise(SAMPLES)
    whole, ahead = (Resynthesizer(bundle, lookahead)(speech) for lookahead in (None, 16))
    assert len(whole) == len(ahead) == SAMPLES
    np.testing.assert_allclose(ahead[INNER], whole[INNER], atol=1e-3 * np.abs(whole).max())


@pytest.mark.parametrize("lookahead", [0, 4])
def test_a_frame_hears_no_more_than_it_may(bundle: Bundle, lookahead: int) -> None:
    resynthesize = Resynthesizer(bundle, lookahead)
    speech = noise(SAMPLES)
    changed = speech.copy()
    changed[LATER] *= -1  # of the same level as before
    difference = frame_powers(resynthesize(speech) - resynthesize(changed))
    assert np.flatnonzero(difference)[0] == 17 - lookahead


def test_it_tells_how_many_entries_were_in_use(bundle: Bundle) -> None:
    resynthesize = Resynthesizer(bundle)
    assert resynthesize.perplexities().tolist() == [1.0, 1.0]
    resynthesize(noise(SAMPLES))
    used = resynthesize.perplexities()
    assert ((used > 1.5) & (used <= 16)).all()
