"""What is chosen once: colours, tray, autostart, the entry in the menu and the key for bypass."""

import sys
from pathlib import Path

from PyQt6.QtCore import QStandardPaths
from PyQt6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from gui import text
from gui.autostart import AutostartError, system_autostart
from gui.controller import Controller
from gui.desktop_entry import add_to_menu, is_in_menu, remove_from_menu
from gui.hotkey_field import HotkeyField
from gui.parts import Card, Field
from gui.settings import ThemeChoice
from gui.theme import Theme

START_COMMAND = (sys.executable, str(Path(__file__).parents[1] / "main.py"))
WIDEST = 460  # logical pixels, for comfortable reading


class SettingsPage(QWidget):
    """Changes the settings that the controller holds, and what they stand for."""

    def __init__(self, controller: Controller, theme: Theme) -> None:
        super().__init__()
        self._controller, self._theme = controller, theme
        self._hotkey = HotkeyField(controller)
        close_to_tray = QCheckBox(text.CLOSE_TO_TRAY)
        close_to_tray.setChecked(controller.settings.close_to_tray)
        close_to_tray.clicked.connect(lambda on: controller.change(close_to_tray=on))
        self._autostart = system_autostart(START_COMMAND)
        self._at_login = QCheckBox(text.AUTOSTART)
        self._at_login.setChecked(self._autostart.is_on())
        self._at_login.clicked.connect(self._switch_autostart)
        self._data_home = Path(
            QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
        )
        self._in_menu = QCheckBox(text.IN_MENU)
        self._in_menu.setChecked(is_in_menu(self._data_home))
        self._in_menu.clicked.connect(self._switch_menu)
        card = Card()
        card.setMaximumWidth(WIDEST)
        for part in (
            Field(text.THEME, self._make_themes()),
            Field(text.HOTKEY, self._hotkey),
            close_to_tray,
            self._at_login,
        ):
            card.column.addWidget(part)
        if sys.platform == "linux":
            card.column.addWidget(self._in_menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addWidget(card)
        column.addStretch(1)

    def release_key(self) -> None:
        """Listen for no key any more, before the window goes."""
        self._hotkey.release()

    def _switch_autostart(self, on: bool) -> None:
        try:
            self._autostart.switch(on)
        except AutostartError as error:
            self._controller.failed.emit(str(error))
        self._at_login.setChecked(self._autostart.is_on())

    def _switch_menu(self, on: bool) -> None:
        try:
            if on:
                add_to_menu(self._data_home, START_COMMAND)
            else:
                remove_from_menu(self._data_home)
        except OSError as error:
            problem = text.IN_MENU_FAILED.format(place=self._data_home, error=error.strerror)
            self._controller.failed.emit(problem)
        self._in_menu.setChecked(is_in_menu(self._data_home))

    def _make_themes(self) -> QComboBox:
        themes = QComboBox()
        for choice, name in text.THEMES.items():
            themes.addItem(name, choice)
        themes.setCurrentIndex(themes.findData(self._controller.settings.theme))
        themes.activated.connect(lambda row: self._choose_theme(themes.itemData(row)))
        return themes

    def _choose_theme(self, choice: ThemeChoice) -> None:
        self._theme.choice = choice
        self._controller.change(theme=choice)
