"""Restores files in a process of its own: it gives way to live sound, and keeps torch out of the caller's."""

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from model.errors import MaskSRError
from model.translation import N_, _
from presets.preset import load_preset
from realtime.file_jobs import FileJob
from realtime.files import FileReport, restore_file
from realtime.graphics_card import with_or_without
from realtime.processes import end_with_parent, settle_in
from realtime.processor import WindowRestorer

if TYPE_CHECKING:
    from model.masksr import MaskSR

NICENESS = 10
SHARE_STEP = 0.005  # of progress that is worth telling
FAREWELL_SECONDS = 3.0  # for giving up the file at work
CANCEL = "cancel"
DIED = N_("The process that restores files ended; free some memory and try again.")


@dataclass(frozen=True)
class FileProgress:
    """The share of the file at work that is done, 0 to 1."""

    share: float


@dataclass(frozen=True)
class FileFailed:
    """The file at work is not restored, and why; None means that it was cancelled."""

    error: str | None


FileEvent = FileProgress | FileFailed | FileReport  # the last one: it is done


class _CancelledError(MaskSRError):
    """The user does not want the file any more."""


class FileWorker:
    """A process that restores one file after another while the context is open. Only leaving waits for it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, self._far_end = context.Pipe()
        self._process = context.Process(target=_work, args=(self._far_end,), name="masksr files")

    def __enter__(self) -> Self:
        self._process.start()
        self._far_end.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join(FAREWELL_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def start(self, job: FileJob) -> None:
        """Begin a job, once the one before has ended."""
        self._send(job)

    def cancel(self) -> None:
        """Give up the job at work; nothing of its target is left."""
        self._send(CANCEL)

    def events(self) -> list[FileEvent]:
        """What has happened since the last call; after FileFailed or FileReport the job has ended."""
        events: list[FileEvent] = []
        try:
            while self._connection.poll():
                events.append(self._connection.recv())
        except (EOFError, ConnectionError):
            events.append(FileFailed(_(DIED)))
        return events

    def _send(self, message: object) -> None:
        with suppress(ConnectionError):  # it has died; `events` tells
            self._connection.send(message)


def _work(connection: "Connection[FileEvent, FileJob | str]") -> None:
    settle_in(NICENESS)
    end_with_parent()
    try:
        while True:
            order = connection.recv()
            if isinstance(order, FileJob):
                connection.send(_restore(order, connection))
    except (EOFError, ConnectionError):
        return  # nobody wants anything any more


def _restore(job: FileJob, connection: "Connection[FileEvent, FileJob | str]") -> FileEvent:
    told = 0.0

    def tell(source: Path, share: float) -> None:
        nonlocal told
        if connection.poll():
            raise _CancelledError
        if share >= told + SHARE_STEP:
            connection.send(FileProgress(share))
            told = share

    try:
        return with_or_without(
            lambda on_cpu: restore_file(job.source, job.target, _restorers(job.preset, on_cpu), tell)
        )
    except _CancelledError:
        return FileFailed(None)
    except (MaskSRError, OSError, RuntimeError, MemoryError) as error:
        return FileFailed(str(error) or type(error).__name__)


def _restorers(name: str, on_cpu: bool) -> Callable[[], WindowRestorer]:
    """What makes restorers by the preset of that name or path."""
    preset = load_preset(name)
    return partial(_model(preset.bundle, on_cpu).stream, preset.plan, **preset.stream_settings)


@lru_cache(maxsize=1)
def _model(bundle: str, on_cpu: bool) -> "MaskSR":
    from model.bundle import bundle_folder
    from model.masksr import MaskSR

    return MaskSR.load(bundle_folder(bundle), on_cpu=on_cpu)
