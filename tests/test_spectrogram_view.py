"""Sound appears at its height, in its half, at the right edge, and moves to the left."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.palette import LIGHT
from gui.spectrogram_view import SECONDS, SpectrogramView
from gui.theme import Theme
from realtime.ring import Samples
from tests.signals import tone

RATE_HZ = 44_100


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication) -> SpectrogramView:
    Theme(qapp, "dark")
    view = SpectrogramView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    view.start(RATE_HZ)
    return view


def brightness(view: SpectrogramView) -> NDArray[np.float64]:
    """[rows, columns] of what is seen, without the axes."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    assert bits is not None
    rows = np.frombuffer(bits.asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), -1)
    return rows[:360, 160:580].astype(np.float64)


def centre(picture: NDArray[np.float64]) -> float:
    """The column in the middle of the bright ones."""
    columns = picture.mean(axis=0)
    return float(np.flatnonzero(columns > (columns.min() + columns.max()) / 2).mean())


def silence(samples: int) -> Samples:
    return np.zeros(samples, np.float32)


def brightest_row(view: SpectrogramView, dry: Samples, restored: Samples) -> int:
    view.start(RATE_HZ)
    view.push(dry, restored)
    return int(brightness(view).mean(axis=1).argmax())


def test_the_microphone_is_above_and_high_tones_are_high(view: SpectrogramView) -> None:
    count = int(SECONDS * RATE_HZ)
    low, high = tone(count, RATE_HZ, 5_000.0), tone(count, RATE_HZ, 15_000.0)
    dry_high, dry_low = (brightest_row(view, sound, silence(count)) for sound in (high, low))
    restored_high, restored_low = (brightest_row(view, silence(count), sound) for sound in (high, low))
    assert dry_high < dry_low < 190 < restored_high < restored_low
    assert dry_low - dry_high == pytest.approx(restored_low - restored_high, abs=2)  # one axis for both


def test_sound_comes_in_at_the_right_and_moves_left(view: SpectrogramView) -> None:
    blip = tone(RATE_HZ // 2)
    view.push(blip, blip)
    first = centre(brightness(view))
    view.push(silence(3 * RATE_HZ), silence(3 * RATE_HZ))
    second = centre(brightness(view))
    assert first > 380 and first - second == pytest.approx(3.0 / SECONDS * 540, abs=25)


def test_it_follows_the_theme_while_shown(view: SpectrogramView, qapp: QApplication) -> None:
    Theme(qapp, "light")
    assert view.grab().toImage().pixelColor(2, 2).name() == LIGHT.surface
