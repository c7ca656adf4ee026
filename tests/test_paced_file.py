"""A paced file gives every block once, in order, and records what it is given back."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.errors import AudioFileError
from realtime.paced_file import PacedFile
from realtime.ring import Samples
from tests.signals import noise


def write(path: Path, sound: Samples, rate_hz: int = 44_100) -> Path:
    soundfile.write(path, sound, rate_hz, subtype="FLOAT")
    return path


def echo(device: PacedFile, delay_blocks: int) -> Samples:
    """Play back what is captured, some blocks later; return everything captured."""
    captured = [np.zeros(device.capture_block_frames, np.float32)] * delay_blocks

    def capture(block: Samples, seconds_ago: float) -> None:
        captured.append(block.copy())

    def playback(out: Samples, seconds_ahead: float) -> None:
        out[:] = captured[-1 - delay_blocks]

    delay_frames = delay_blocks * device.capture_block_frames
    device.start(capture, playback, delay_frames / device.capture_rate_hz)
    assert device.finished.wait(30.0)
    device.stop()
    return np.concatenate(captured[delay_blocks:])


@pytest.mark.parametrize("frames", [1, 441, 4_000])
def test_the_source_is_heard_and_recorded_whole(tmp_path: Path, frames: int) -> None:
    sound = noise(frames)
    device = PacedFile(write(tmp_path / "in.wav", sound), tmp_path / "out.wav")
    heard = echo(device, delay_blocks=3)
    np.testing.assert_array_equal(heard[:frames], sound)
    assert not heard[frames:].any()
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], sound, atol=2**-23)


def test_a_stereo_source_is_heard_as_its_mean(tmp_path: Path) -> None:
    left, right = noise(2_000, seed=1), noise(2_000, seed=2)
    device = PacedFile(write(tmp_path / "in.wav", np.stack([left, right], axis=1)), tmp_path / "out.wav")
    np.testing.assert_allclose(echo(device, delay_blocks=0)[:2_000], (left + right) / 2, atol=1e-6)


def test_rates_no_device_has_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(400), 4_000)
    with pytest.raises(AudioFileError, match="4000 Hz"):
        PacedFile(source, tmp_path / "out.wav")
