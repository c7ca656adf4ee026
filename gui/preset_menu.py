"""The menu that keeps, renames, deletes and passes on presets."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMenu, QMessageBox, QToolButton

from gui import text
from gui.controller import Controller


class PresetMenu(QToolButton):
    """A button with the menu. Its dialogs block nothing: what they are for is done when they end."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self.setText("⋯")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._controller = controller
        self.setAccessibleName(text.PRESET_MENU)
        self.setToolTip(text.PRESET_MENU)
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self._save = self._add_action(text.PRESET_SAVE, self._ask_title_to_save)
        self._rename = self._add_action(text.PRESET_RENAME, self._ask_new_title)
        self._delete = self._add_action(text.PRESET_DELETE, self._ask_whether_to_delete)
        self._menu.addSeparator()
        self._export = self._add_action(text.PRESET_EXPORT, self._ask_where_to_export)
        self._add_action(text.PRESET_ADD, self._ask_what_to_add)
        self._menu.aboutToShow.connect(self._enable_what_applies)

    def _add_action(self, name: str, do: Callable[[], None]) -> QAction:
        action = QAction(name, self._menu)
        action.triggered.connect(do)
        self._menu.addAction(action)
        return action

    def _enable_what_applies(self) -> None:
        entry = self._controller.entry
        own = entry is not None and entry.is_own
        for action, applies in (
            (self._save, entry is not None),
            (self._export, entry is not None),
            (self._rename, own),
            (self._delete, own),
        ):
            action.setEnabled(applies)

    def _ask_title_to_save(self) -> None:
        self._ask_title("", self._controller.save_preset)

    def _ask_new_title(self) -> None:
        entry = self._controller.entry
        if entry is not None:
            self._ask_title(
                entry.preset.title,
                lambda title: self._controller.rename_preset(entry.choice, title),
            )

    def _ask_title(self, before: str, then: Callable[[str], None]) -> None:
        dialog = QInputDialog(self)
        dialog.setLabelText(text.PRESET_NAME)
        dialog.setTextValue(before)
        dialog.textValueSelected.connect(then)
        _open(dialog)

    def _ask_whether_to_delete(self) -> None:
        entry = self._controller.entry
        if entry is None:
            return
        buttons = QMessageBox.StandardButton
        dialog = QMessageBox(self)
        dialog.setText(text.PRESET_DELETE_SURE.format(title=entry.preset.title))
        dialog.setStandardButtons(buttons.Yes | buttons.Cancel)
        dialog.accepted.connect(
            lambda: self._controller.change_presets(lambda library: library.delete(entry.choice))
        )
        _open(dialog)

    def _ask_where_to_export(self) -> None:
        entry = self._controller.entry
        if entry is not None:
            dialog = QFileDialog(self, text.PRESET_EXPORT, f"{entry.preset.title}.toml", text.PRESET_FILES)
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setDefaultSuffix("toml")
            dialog.fileSelected.connect(lambda path: self._controller.export_preset(entry.choice, Path(path)))
            _open(dialog)

    def _ask_what_to_add(self) -> None:
        dialog = QFileDialog(self, text.PRESET_ADD, "", text.PRESET_FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(
            lambda path: self._controller.change_presets(lambda library: library.add(Path(path)))
        )
        _open(dialog)


def _open(dialog: QDialog) -> None:
    dialog.setWindowTitle(text.APP)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
