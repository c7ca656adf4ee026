"""Audio files are read in order and written in one step."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.errors import AudioFileError
from realtime.audio_file import open_source, output_format, read_blocks, replacing
from tests.signals import tone


def test_a_wav_beyond_four_gigabytes_becomes_rf64() -> None:
    assert output_format(Path("a.WAV"), 44_100 * 3600, 2) == ("WAV", "PCM_24")
    assert output_format(Path("a.wav"), 192_000 * 3600 * 4, 2) == ("RF64", "PCM_24")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_blocks_join_to_the_whole_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in{suffix}"
    soundfile.write(path, tone(20_000), 44_100)
    with open_source(path) as reader:
        joined = np.concatenate(list(read_blocks(reader, 700)))
    np.testing.assert_array_equal(joined, soundfile.read(path, dtype="float32", always_2d=True)[0])


def test_a_target_appears_only_on_success(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    with replacing(target) as part:
        part.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_target_and_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")
    with pytest.raises(AudioFileError, match="No space left"), replacing(target) as part:
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
