"""The bars are as long as the levels, and numbers and lights say the same to those who cannot see bars."""

import pytest
from PyQt6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from gui import text
from gui.ballistics import Level
from gui.meters import LevelMeters
from gui.palette import current_palette

LOUD = Level(peak_dbfs=-12.0, rms_dbfs=-30.0, held_peak_dbfs=-6.0, clipped=True)
QUIET = Level(peak_dbfs=-48.0, rms_dbfs=-54.0, held_peak_dbfs=-40.0)


@pytest.fixture
def meters(qtbot: QtBot) -> LevelMeters:
    meters = LevelMeters()
    qtbot.addWidget(meters)
    meters.resize(700, meters.sizeHint().height())
    meters.show()
    return meters


def share_of(meters: LevelMeters, colour: str) -> float:
    """How much of the picture's widest row is painted in `colour`, 0..1 of the meters' width."""
    image = meters.grab().toImage()
    rows = range(image.height())
    counts = [
        sum(image.pixelColor(column, row).name() == colour for column in range(image.width())) for row in rows
    ]
    return max(counts) / image.width()


def test_each_bar_is_as_long_as_its_own_level(meters: LevelMeters) -> None:
    palette = current_palette()
    meters.set_levels(LOUD, QUIET)
    loud, quiet = share_of(meters, palette.dry), share_of(meters, palette.restored)
    assert loud / quiet == pytest.approx(30.0 / 6.0, rel=0.1)  # dB above the scale's start


def test_the_highest_peak_stands_in_numbers(meters: LevelMeters) -> None:
    meters.set_levels(LOUD, Level())
    numbers = {label.accessibleName(): label.text() for label in meters.findChildren(QLabel)}
    assert numbers[text.METER_PEAK.format(signal=text.MICROPHONE)] == "−6.0"
    assert numbers[text.METER_PEAK.format(signal=text.RESTORED)] == "−∞"


def test_clipping_is_told_to_screen_readers_and_lights_up(meters: LevelMeters) -> None:
    meters.set_levels(QUIET, QUIET)
    assert share_of(meters, current_palette().danger) == 0.0
    meters.set_levels(LOUD, QUIET)
    names = [part.accessibleName() for part in meters.findChildren(QWidget)]
    assert names.count(text.METER_CLIPPED) == 1 and names.count(text.METER_NOT_CLIPPED) == 1
    assert share_of(meters, current_palette().danger) > 0.02
