"""The icon in the system's tray: shows whether sound goes out restored, and switches it."""

import sys
from collections.abc import Mapping

from PyQt6.QtCore import QObject, pyqtBoundSignal, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu, QSystemTrayIcon

from gui import text
from gui.icon import IconName, icon

SHOWING_CLICKS = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)


class Tray(QSystemTrayIcon):
    """Shown where the desktop has a tray."""

    show_wanted = pyqtSignal()
    bypass_switched = pyqtSignal(bool)
    mute_switched = pyqtSignal(bool)
    preset_chosen = pyqtSignal(object)  # a choice of `set_presets`
    quit_wanted = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(icon(), parent)
        self._menu = QMenu()
        self._menu.addAction(text.TRAY_SHOW, self.show_wanted.emit)
        self._menu.addSeparator()
        self._bypass = self._add_switch(text.BYPASS, self.bypass_switched)
        self._mute = self._add_switch(text.MUTE, self.mute_switched)
        self._presets = QMenu(text.TRAY_PRESET, self._menu)
        self._menu.addMenu(self._presets)
        self._menu.addSeparator()
        self._menu.addAction(text.QUIT, self.quit_wanted.emit)
        self._group = QActionGroup(self)
        self._group.triggered.connect(lambda action: self.preset_chosen.emit(action.data()))
        self.setContextMenu(self._menu)
        if sys.platform != "darwin":  # where a click opens the menu alone, and is told all the same
            self.activated.connect(self._activate)
        self.set_switches(bypass=False, mute=False)

    def set_switches(self, bypass: bool, mute: bool) -> None:
        self._bypass.setChecked(bypass)
        self._mute.setChecked(mute)
        name: IconName = "muted" if mute else "bypassed" if bypass else "masksr-live"
        states = {"muted": text.MUTED, "bypassed": text.BYPASSED, "masksr-live": text.APP}
        self.setIcon(icon(name))
        self.setToolTip(states[name])

    def set_presets(self, titles: Mapping[str | None, str], chosen: str | None) -> None:
        """Offer each choice by its title; None is the choice that is left to the program."""
        self._presets.clear()
        for choice, title in titles.items():
            action = QAction(title, self._presets)
            action.setData(choice)
            action.setCheckable(True)
            action.setChecked(choice == chosen)
            self._group.addAction(action)
            self._presets.addAction(action)

    def _add_switch(self, name: str, switched: pyqtBoundSignal) -> QAction:
        action = QAction(name, self._menu)
        action.setCheckable(True)
        action.triggered.connect(switched)
        self._menu.addAction(action)
        return action

    def _activate(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in SHOWING_CLICKS:
            self.show_wanted.emit()
