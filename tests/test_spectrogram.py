"""The picture shows what is in the sound, at its time and frequency."""

from pathlib import Path

import matplotlib.image
import numpy as np
from numpy.typing import NDArray

from realtime.spectrogram import save_spectrograms
from tests.signals import tone


def brightness(path: Path) -> NDArray[np.float64]:
    """float64 [rows, columns] of the picture without its colour bar."""
    pixels = np.asarray(matplotlib.image.imread(path), dtype=np.float64)
    return pixels[:, : int(0.8 * pixels.shape[1]), :3].mean(axis=2)


def test_what_is_shorter_than_a_window_is_drawn_too(tmp_path: Path) -> None:
    for frames in (0, 441):
        save_spectrograms(tmp_path / "short.png", tone(44_100), tone(44_100)[:frames])
        assert (tmp_path / "short.png").read_bytes().startswith(b"\x89PNG")


def test_a_tone_appears_at_its_height_below_the_silent_half(tmp_path: Path) -> None:
    silence = np.zeros(44_100, np.float32)
    save_spectrograms(tmp_path / "silence.png", silence, silence)
    save_spectrograms(tmp_path / "low.png", silence, tone(44_100, hz=5_000.0))
    save_spectrograms(tmp_path / "high.png", silence, tone(44_100, hz=18_000.0))
    nothing, low, high = (brightness(tmp_path / f"{name}.png") for name in ("silence", "low", "high"))
    low_row, high_row = np.argmax((low - nothing).sum(axis=1)), np.argmax((high - nothing).sum(axis=1))
    assert len(nothing) / 2 < high_row < low_row
