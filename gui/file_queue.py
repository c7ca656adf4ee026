"""The files that are being restored, one after another: a model for any view."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

from PyQt6.QtCore import QAbstractListModel, QModelIndex, Qt, QTimer, pyqtSignal

from gui import text
from gui.background import Background
from model.translation import _
from realtime.file_jobs import FileJob
from realtime.file_worker import DIED, FileEvent, FileFailed, FileProgress, FileWorker
from realtime.files import FileReport

POLL_MS = 50

FileState = Literal["waiting", "working", "done", "failed", "cancelled"]


class FileRole(IntEnum):
    """What the view asks for besides the name."""

    STATE = Qt.ItemDataRole.UserRole
    SHARE = Qt.ItemDataRole.UserRole + 1
    NOTE = Qt.ItemDataRole.UserRole + 2


@dataclass(frozen=True)
class FileItem:
    """One file. `share` of it is done; `note` says what went wrong."""

    job: FileJob
    state: FileState = "waiting"
    share: float = 0.0
    note: str = ""


class FileQueue(QAbstractListModel):
    """Restores what is added. The process that does it lives as long as there is something to do."""

    changed = pyqtSignal()  # anything at all

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self.items: list[FileItem] = []
        self._worker: FileWorker | None = None
        self._running = ExitStack()
        self._polling = QTimer(self)
        self._polling.setInterval(POLL_MS)
        self._polling.timeout.connect(self._poll)

    @property
    def is_busy(self) -> bool:
        return any(item.state in ("waiting", "working") for item in self.items)

    @property
    def ended(self) -> int:
        """How many need no more work."""
        return sum(item.state not in ("waiting", "working") for item in self.items)

    def add(self, jobs: Sequence[FileJob]) -> None:
        """Restore these too."""
        if jobs:
            first = len(self.items)
            self.beginInsertRows(QModelIndex(), first, first + len(jobs) - 1)
            self.items += [FileItem(job) for job in jobs]
            self.endInsertRows()
            self._go_on()

    def cancel(self) -> None:
        """Give up the file at work and those that wait."""
        for row, item in enumerate(self.items):
            if item.state == "waiting":
                self._set(row, replace(item, state="cancelled"))
        if self._worker is not None:
            self._worker.cancel()

    def clear_ended(self) -> None:
        """Forget the files that need no more work."""
        self.beginResetModel()
        self.items = [item for item in self.items if item.state in ("waiting", "working")]
        self.endResetModel()
        self.changed.emit()

    def close(self) -> None:
        """End the process, if there is one; nothing half done is left."""
        self._polling.stop()
        self._worker = None
        self._background.run(self._running.pop_all().close)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item = self.items[index.row()]
        answers: dict[int, Any] = {
            Qt.ItemDataRole.DisplayRole: item.job.source.name,
            Qt.ItemDataRole.ToolTipRole: str(item.job.source),
            Qt.ItemDataRole.AccessibleTextRole: f"{item.job.source.name}: {_in_words(item)}",
            FileRole.STATE: item.state,
            FileRole.SHARE: item.share,
            FileRole.NOTE: _in_words(item),
        }
        return answers.get(role)

    def folder_of(self, index: QModelIndex) -> Path:
        """Where the result is, or will be."""
        return self.items[index.row()].job.target.parent

    def _go_on(self) -> None:
        """Start the next file unless one is at work; end the process after the last."""
        states = [item.state for item in self.items]
        if "working" not in states and "waiting" in states:
            row = states.index("waiting")
            if self._worker is None:
                self._worker = self._running.enter_context(FileWorker())
                self._polling.start()
            self._set(row, replace(self.items[row], state="working"))
            self._worker.start(self.items[row].job)
        elif not self.is_busy and self._worker is not None:
            self.close()
        self.changed.emit()

    def _poll(self) -> None:
        for event in [] if self._worker is None else self._worker.events():
            if self._worker is not None:
                self._take(event)

    def _take(self, event: FileEvent) -> None:
        row = next(row for row, item in enumerate(self.items) if item.state == "working")
        item = self.items[row]
        if isinstance(event, FileProgress):
            self._set(row, replace(item, share=event.share))
            self.changed.emit()
            return
        self._set(row, _ended(item, event))
        if event == FileFailed(_(DIED)):
            self.close()
        self._go_on()

    def _set(self, row: int, item: FileItem) -> None:
        self.items[row] = item
        self.dataChanged.emit(self.index(row), self.index(row))


def _ended(item: FileItem, event: FileFailed | FileReport) -> FileItem:
    if isinstance(event, FileFailed):
        state: FileState = "cancelled" if event.error is None else "failed"
        return replace(item, state=state, note=event.error or "")
    left = text.file_partly(event.dry_hops, event.hops, event.last_error)
    return replace(item, state="done", share=1.0, note=left if event.dry_hops else "")


def _in_words(item: FileItem) -> str:
    match item.state:
        case "waiting":
            return text.FILE_WAITING
        case "working":
            percent = text.PER_CENT.format(100 * item.share)
            return text.FILE_WORKING.format(percent=percent) if item.share else text.FILE_LOADING
        case "done":
            return item.note or text.FILE_DONE.format(name=item.job.target.name)
        case "failed":
            return item.note
        case "cancelled":
            return text.FILE_CANCELLED
