"""The colours of the window: a dark palette and a light one."""

from dataclasses import dataclass

from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QApplication


@dataclass(frozen=True)
class Palette:
    """Every colour that is painted with, as #rrggbb.

    What the microphone hears is always `dry`, what leaves the program always `restored`: an orange and a
    blue that colour-blind people tell apart. Text reaches a contrast of 4.5 on every ground, marks reach 3.
    """

    is_dark: bool
    window: str
    surface: str  # cards and plots
    raised: str  # controls
    line: str  # what only separates
    border: str  # of controls
    text: str
    muted: str  # text of less weight
    disabled: str
    accent: str  # what can be pressed, and what is chosen
    on_accent: str
    focus: str
    dry: str
    restored: str
    good: str
    warning: str
    danger: str
    stages: tuple[str, str, str, str]  # of the delay: capture, algorithm, compute, output
    heat: tuple[str, ...]  # of spectrograms: evenly spaced from silence, which is the surface, to the loudest


DARK = Palette(
    is_dark=True,
    window="#12151a",
    surface="#1a1e25",
    raised="#272d37",
    line="#343b47",
    border="#737e8f",
    text="#edf0f5",
    muted="#a9b3c1",
    disabled="#6d7786",
    accent="#62a8ff",
    on_accent="#0b1420",
    focus="#ffffff",
    dry="#f2a541",
    restored="#57b6f2",
    good="#3cc9a0",
    warning="#f4cd4a",
    danger="#ff7a5c",
    stages=("#8b97ad", "#6f9bff", "#cf8ae0", "#4fc0b0"),
    heat=("#1a1e25", "#51127c", "#b73779", "#fc8961", "#fcfdbf"),
)
LIGHT = Palette(
    is_dark=False,
    window="#eef0f4",
    surface="#ffffff",
    raised="#f7f8fa",
    line="#d5dae1",
    border="#7a8493",
    text="#161a20",
    muted="#525c6a",
    disabled="#8b94a1",
    accent="#0a62c4",
    on_accent="#ffffff",
    focus="#161a20",
    dry="#a55000",
    restored="#0a6cbd",
    good="#00795f",
    warning="#7d5800",
    danger="#c2330c",
    stages=("#66718a", "#3563d1", "#9a46b0", "#0f7f74"),
    heat=("#ffffff", "#fbd8a4", "#f0855c", "#b8346f", "#2f2a7a"),
)


def current_palette() -> Palette:
    """The palette that the application is dressed in."""
    is_dark = QApplication.palette().color(QPalette.ColorRole.Window).lightnessF() < 0.5
    return DARK if is_dark else LIGHT
