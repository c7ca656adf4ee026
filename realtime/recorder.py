"""Keeps both signals of a live session as files."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import soundfile

from model.errors import AudioFileError
from model.translation import _
from realtime.signal_tap import SignalTap

FAILURES = (OSError, AssertionError, soundfile.SoundFileError)  # soundfile asserts that all was written


class Recorder:
    """Writes what `tap` gets to two FLAC files in `folder`, as long as the context is open and at its end.

    Call `write` at least every few seconds. The files are named for the time and are of use also when the
    program is killed. What ends a recording does not end what is recorded: `problem` says it. Raises
    AudioFileError where no files can be made to begin with.
    """

    def __init__(self, tap: SignalTap, folder: Path) -> None:
        self._tap, self._folder = tap, folder
        self.problem: str | None = None

    def __enter__(self) -> Self:
        started = f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
        self.microphone = self._folder / f"{started}_microphone.flac"
        self.restored = self._folder / f"{started}_restored.flac"
        try:
            self._open()
        except FAILURES as error:
            raise AudioFileError(self._sentence()) from error
        self._position = self._tap.written
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._opened:
                self.write()
        except FAILURES:
            self.problem = self._sentence()

    def write(self) -> None:
        """Write what has come since the last time; nothing any more after a problem."""
        if self.problem is not None:
            return
        frames = self._tap.written - self._position
        try:
            for file, signal in zip(self._files, self._tap.read(self._position, frames), strict=True):
                file.write(signal)
        except FAILURES:
            self.problem = self._sentence()
        self._position += frames

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opening:
            self._files = [
                opening.enter_context(
                    soundfile.SoundFile(path, "w", self._tap.sample_rate_hz, 1, subtype="PCM_24")
                )
                for path in (self.microphone, self.restored)
            ]
            self._opened = opening.pop_all()

    def _sentence(self) -> str:
        return _("Nothing can be recorded in {folder}; check the place and its space.", folder=self._folder)
