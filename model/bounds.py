"""What bounds a restorer: pairs of voices and noises that it was trained with, and of others.

Where it does as well with others, more recordings to train with would not help it.
"""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from model.data import Corpus
from model.degrade import active_power, add_noise
from model.evaluate import Audio, Item, Pair
from model.noise import unit_power, vary_recording
from model.plan import SAMPLE_RATE_HZ

_SAMPLES = 4 * SAMPLE_RATE_HZ
_SNR_DB = (-3.0, 9.0)
_PEAK = 0.7  # of what is heard


def count_pairs(sets: Mapping[str, Corpus], each: int) -> int:
    return each * len(sets) ** 2


def make_pairs(sets: Mapping[str, Corpus], each: int) -> Iterator[Pair]:
    """`each` of every condition: speech of one data set with noise of one, equally loud in all of them."""
    for voices, noises in product(sets, sets):
        recordings = [sets[noises].samples(clip) for clip in sets[noises].noise]
        for number in range(each):
            item = Item(f"{voices} {noises} {number}", f"{voices} voices, {noises} noises", "")
            yield _pair(item, sets[voices], recordings, number)


def _pair(item: Item, voices: Corpus, noises: list[Audio], number: int) -> Pair:
    clean = voices.speech_window(_SAMPLES, np.random.default_rng((0, number)))
    rng = np.random.default_rng((1, number))
    noise = unit_power(vary_recording(noises, _SAMPLES, rng))
    heard = add_noise(clean, noise, rng.uniform(*_SNR_DB), active_power(clean))
    gain = np.float32(_PEAK / np.abs(heard).max())
    return Pair(item, gain * clean, gain * heard)
