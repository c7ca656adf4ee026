"""Both sounds are kept exactly, with a picture, or not at all."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.errors import AudioFileError
from realtime.comparison import Comparison
from tests.signals import noise, tone


def test_both_sounds_and_a_picture_are_kept(tmp_path: Path) -> None:
    before, after = noise(9600), tone(9600, 48_000)
    comparison = Comparison(before, after, 48_000)
    comparison.save(tmp_path / "new")
    for name, sound in (("before.wav", before), ("after.wav", after)):
        kept, rate_hz = soundfile.read(tmp_path / "new" / name, dtype="float32")
        assert rate_hz == 48_000
        np.testing.assert_allclose(kept, sound, atol=2**-22)
    assert (tmp_path / "new" / "before_after.png").read_bytes().startswith(b"\x89PNG")
    assert comparison.seconds == 0.2


def test_a_place_that_cannot_be_written_is_reported() -> None:
    with pytest.raises(AudioFileError, match="check the place"):
        Comparison(noise(100), noise(100), 44_100).save(Path("/dev/null/new"))
