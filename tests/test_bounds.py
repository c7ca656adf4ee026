"""Pairs of voices and noises, seen in training or not, differ in nothing else."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.bounds import count_pairs, make_pairs
from model.data import Corpus, prepare
from model.degrade import active_power
from model.errors import DataError
from tests.recordings import prepared
from tests.signals import noise
from tests.voice import voice


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Corpus]:
    folder = tmp_path_factory.mktemp("sets")
    for name, sound in {
        "carl/c.wav": voice(3.0, 150.0, 2),
        "noise/hum.wav": 0.5 * noise(66_150, seed=4),
    }.items():
        (folder / "others" / name).parent.mkdir(parents=True)
        soundfile.write(folder / "others" / name, sound, 44_100)
    prepare(folder / "others", folder / "unseen", lambda done, total: None)
    return {"seen": Corpus(prepared(folder)), "unseen": Corpus(folder / "unseen")}


def test_every_voice_meets_every_noise_equally_often(sets: dict[str, Corpus]) -> None:
    conditions = [pair.item.condition for pair in make_pairs(sets, 2)]
    assert len(conditions) == count_pairs(sets, 2) == 8
    assert (
        conditions[::2]
        == conditions[1::2]
        == [
            "seen voices, seen noises",
            "seen voices, unseen noises",
            "unseen voices, seen noises",
            "unseen voices, unseen noises",
        ]
    )


def test_the_same_speech_meets_each_noise_at_the_same_level(sets: dict[str, Corpus]) -> None:
    pairs = list(make_pairs(sets, 3))
    for seen, unseen in zip(pairs[:3], pairs[3:6], strict=True):
        levels_db = []
        for pair in (seen, unseen):
            added = pair.heard - pair.clean
            levels_db.append(10 * np.log10(active_power(pair.clean) / np.mean(added**2)))
        assert levels_db[0] == pytest.approx(levels_db[1], abs=0.1) and -3.5 < levels_db[0] < 9.5
        assert np.corrcoef(seen.clean, unseen.clean)[0, 1] > 0.999


def test_voices_that_are_not_there_are_told(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    assert [clip.group for clip in Corpus(data, "an").speech] == ["anna"]
    with pytest.raises(DataError, match="begin with zoe"):
        Corpus(data, "zoe")
