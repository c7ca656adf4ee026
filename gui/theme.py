"""Dresses the application in the dark or the light palette, as the user or the system wants it."""

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtGui import QColor, QPalette, QStyleHints
from PyQt6.QtWidgets import QApplication

from gui.palette import DARK, LIGHT, Palette
from gui.settings import ThemeChoice
from gui.style_sheet import style_sheet


class Theme(QObject):
    """Dresses the application, and does so anew when the choice or the system's colours change.

    A system that does not tell gets the dark palette.
    """

    def __init__(self, application: QApplication, choice: ThemeChoice = "system") -> None:
        super().__init__(application)
        self._application = application
        self._choice = choice
        hints = application.styleHints()
        assert hints is not None
        self._hints: QStyleHints = hints
        application.setStyle("Fusion")
        self._hints.colorSchemeChanged.connect(self._dress)
        self._dress()

    @property
    def choice(self) -> ThemeChoice:
        return self._choice

    @choice.setter
    def choice(self, choice: ThemeChoice) -> None:
        self._choice = choice
        self._dress()

    def _dress(self) -> None:
        palette = self._wanted()
        self._application.setPalette(_qt_palette(palette))
        self._application.setStyleSheet(style_sheet(palette))

    def _wanted(self) -> Palette:
        if self._choice == "system":
            return LIGHT if self._hints.colorScheme() == Qt.ColorScheme.Light else DARK
        return LIGHT if self._choice == "light" else DARK


def _qt_palette(palette: Palette) -> QPalette:
    role = QPalette.ColorRole
    colours = {
        role.Window: palette.window,
        role.WindowText: palette.text,
        role.Base: palette.surface,
        role.AlternateBase: palette.raised,
        role.Text: palette.text,
        role.PlaceholderText: palette.muted,
        role.Button: palette.raised,
        role.ButtonText: palette.text,
        role.BrightText: palette.danger,
        role.ToolTipBase: palette.raised,
        role.ToolTipText: palette.text,
        role.Highlight: palette.accent,
        role.HighlightedText: palette.on_accent,
        role.Accent: palette.accent,
        role.Link: palette.accent,
        role.LinkVisited: palette.accent,
        role.Mid: palette.border,
    }
    dressed = QPalette()
    for each, colour in colours.items():
        dressed.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        dressed.setColor(QPalette.ColorGroup.Disabled, each, QColor(palette.disabled))
    return dressed
