"""The page that restores files: picked, or dropped on it."""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path

from PyQt6.QtCore import QModelIndex, Qt, QUrl
from PyQt6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLabel,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from gui import text
from gui.background import Background
from gui.file_list import FileList
from gui.file_queue import FileQueue
from gui.parts import button, row
from realtime.audio_file import FORMATS
from realtime.file_jobs import FileJob, plan_jobs

DEFAULT_PRESET = "studio"  # files can wait


class FilePage(QWidget):
    """Restores files beside their sources, in a process that lets live sound go first."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self._background = background
        self._promised = set[Path]()  # targets, of files that are not in the queue yet as well
        self.queue = FileQueue(background)
        self._preset = QComboBox()
        self._preset.setAccessibleName(text.plain(text.FILE_PRESET))
        self._list = FileList(self.queue)
        self._list.activated.connect(self._open_folder)
        self._count = QLabel()
        self._pick = button(text.FILE_PICK, self.pick, "primary")
        self._pick_folder = button(text.FILE_PICK_FOLDER, self._pick_folders)
        self._cancel = button(text.FILE_CANCEL, self.queue.cancel)
        self._clear = button(text.FILE_CLEAR, self.queue.clear_ended)
        self.queue.changed.connect(self._show)
        self._lay_out()
        self._show()

    def set_presets(self, titles: Mapping[str, str]) -> None:
        """Offer each choice by its title."""
        chosen = self._preset.currentData() or DEFAULT_PRESET
        self._preset.clear()
        for choice, title in titles.items():
            self._preset.addItem(title, choice)
        rows = map(self._preset.findData, (chosen, DEFAULT_PRESET))
        self._preset.setCurrentIndex(next((row for row in rows if row >= 0), 0))

    def rename_preset(self, old: str, new: str) -> None:
        """Know one by another choice from now on, and keep it chosen if it is."""
        self._preset.setItemData(self._preset.findData(old), new)

    def add(self, picked: Iterable[Path]) -> None:
        """Restore these files, and the audio files in these folders."""
        preset = self._preset.currentData() or DEFAULT_PRESET
        self._background.run(lambda: self._plan(picked, preset), self.queue.add)

    def pick(self) -> None:
        """Let the user choose files."""
        patterns = " ".join(f"*{suffix}" for suffix in FORMATS)
        self._ask(QFileDialog.FileMode.ExistingFiles, f"{text.FILE_KIND} ({patterns})")

    def close_queue(self) -> None:
        """Give up what is not done, before the window goes."""
        self.queue.close()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        if event is not None:
            self.add(_dropped(event))
            event.acceptProposedAction()

    def _plan(self, picked: Iterable[Path], preset: str) -> list[FileJob]:
        jobs = plan_jobs(picked, preset, self._promised)
        return list(takewhile(lambda job: self._background.is_open, jobs))

    def _lay_out(self) -> None:
        empty = QLabel(text.FILE_EMPTY)
        empty.setProperty("role", "drop")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        label = QLabel(text.FILE_PRESET)
        label.setBuddy(self._preset)
        self._pages = QStackedLayout()
        self._pages.addWidget(empty)
        self._pages.addWidget(self._list)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(row(self._pick, self._pick_folder, None, label, self._preset))
        column.addLayout(self._pages, 1)
        column.addLayout(row(self._count, None, self._cancel, self._clear))

    def _show(self) -> None:
        count, ended = len(self.queue.items), self.queue.ended
        self._pages.setCurrentIndex(1 if count else 0)
        self._count.setText(text.FILE_COUNT.format(ended=ended, count=count) if count else "")
        self._cancel.setEnabled(self.queue.is_busy)
        self._clear.setEnabled(ended > 0)

    def _pick_folders(self) -> None:
        self._ask(QFileDialog.FileMode.Directory)

    def _ask(self, mode: QFileDialog.FileMode, patterns: str = "") -> None:
        """Open a dialog, which blocks nothing, and add what it was left with."""
        dialog = QFileDialog(self, text.FILE_PICK_TITLE, "", patterns)
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.add(map(Path, names)))
        dialog.open()

    def _open_folder(self, index: QModelIndex) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.queue.folder_of(index))))


def _dropped(event: QDropEvent) -> list[Path]:
    """The local files and folders among what is dragged."""
    data = event.mimeData()
    urls = [] if data is None else data.urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
