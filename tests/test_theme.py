"""Both palettes are readable, and the application follows the choice."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest
from PyQt6 import sip
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QGuiApplication, QStyleHints
from PyQt6.QtWidgets import QApplication

from gui.palette import DARK, LIGHT, Palette, current_palette
from gui.theme import Theme

both = pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    shares = QColor(colour).getRgbF()[:3]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@both
@pytest.mark.parametrize("ground", ["window", "surface", "raised"])
def test_text_stands_out_on_every_ground(palette: Palette, ground: str) -> None:
    colours = asdict(palette)
    for ink in ("text", "muted", "accent", "dry", "restored", "good", "warning", "danger"):
        assert contrast(colours[ink], colours[ground]) >= 4.5, ink


@both
def test_marks_stand_out_on_what_they_lie_on(palette: Palette) -> None:
    for stage in palette.stages:
        assert contrast(stage, palette.surface) >= 3.0
    for ground in (palette.window, palette.surface, palette.raised):
        assert contrast(palette.border, ground) >= 3.0
        assert contrast(palette.focus, ground) >= 3.0
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    assert contrast(palette.text, palette.line) >= 4.5


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme(qapp)
    yield theme
    sip.delete(theme)


def test_the_application_follows_the_choice(theme: Theme) -> None:
    theme.choice = "light"
    assert current_palette() is LIGHT
    theme.choice = "dark"
    assert current_palette() is DARK


@pytest.mark.parametrize(("scheme", "palette"), [("Light", LIGHT), ("Dark", DARK), ("Unknown", DARK)])
def test_the_application_follows_the_system(
    theme: Theme, monkeypatch: pytest.MonkeyPatch, scheme: str, palette: Palette
) -> None:
    hints, now = QGuiApplication.styleHints(), Qt.ColorScheme[scheme]
    assert hints is not None
    monkeypatch.setattr(QStyleHints, "colorScheme", lambda hints: now)  # a test has no desktop that changes
    hints.colorSchemeChanged.emit(now)
    assert current_palette() is palette
    theme.choice = "light"
    hints.colorSchemeChanged.emit(now)
    assert current_palette() is LIGHT
