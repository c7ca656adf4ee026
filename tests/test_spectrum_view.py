"""Each signal's curve peaks at its frequency and level, and falls slowly."""

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.spectrum_view import FALL_DB_PER_SECOND, LOWEST_DB, SpectrumView
from tests.signals import tone

RATE_HZ = 44_100


@pytest.fixture
def spectrum(qtbot: QtBot) -> SpectrumView:
    spectrum = SpectrumView()
    qtbot.addWidget(spectrum)
    spectrum.start(RATE_HZ)
    return spectrum


def peaks(spectrum: SpectrumView) -> list[tuple[float, float]]:
    """The frequency and level of the highest point of each curve."""
    curves = [curve.getData() for curve in spectrum.curves]
    return [(10.0 ** float(log_hz[decibels.argmax()]), float(decibels.max())) for log_hz, decibels in curves]


def test_curves_peak_where_the_tones_are(spectrum: SpectrumView) -> None:
    spectrum.push(tone(4096, RATE_HZ, 1_000.0), 0.1 * tone(4096, RATE_HZ, 8_000.0))
    (dry_hz, dry_db), (restored_hz, restored_db) = peaks(spectrum)
    assert dry_hz == pytest.approx(1_000.0, rel=0.05) and dry_db == pytest.approx(-6.0, abs=1.5)
    assert restored_hz == pytest.approx(8_000.0, rel=0.05) and restored_db == pytest.approx(-26.0, abs=1.5)


def test_a_curve_falls_slowly_to_the_floor(spectrum: SpectrumView) -> None:
    spectrum.push(tone(4096), tone(4096))
    loud = peaks(spectrum)[0][1]
    silence = np.zeros(1470, np.float32)
    for _ in range(30):
        spectrum.push(silence, silence)
    assert peaks(spectrum)[0][1] == pytest.approx(loud - FALL_DB_PER_SECOND, abs=3.0)
    for _ in range(60):
        spectrum.push(silence, silence)
    assert peaks(spectrum)[0][1] == LOWEST_DB
