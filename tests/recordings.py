"""A small set of recordings of two voices and a noise, for tests of training and its data."""

from collections.abc import Callable
from pathlib import Path

import soundfile

from model.data import prepare
from model.plan import SAMPLE_RATE_HZ
from tests.signals import noise
from tests.voice import voice

SECONDS = 3.0


def write_recordings(folder: Path) -> None:
    """Two speakers' folders of a WAV and a FLAC file, and a folder of noise."""
    sounds = {
        "anna/a.wav": voice(SECONDS),
        "ben/b.flac": voice(SECONDS, 90.0, 1),
        "noise/hiss.wav": noise(88_200),
    }
    for name, sound in sounds.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        soundfile.write(path, sound, SAMPLE_RATE_HZ)


def prepared(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Path:
    """A data set of them below `folder`."""
    write_recordings(folder / "recordings")
    prepare(folder / "recordings", folder / "data", progress)
    return folder / "data"
