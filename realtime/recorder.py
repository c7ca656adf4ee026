"""Keeps both signals of a live session as files."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import soundfile

from realtime.signal_tap import SignalTap


class Recorder:
    """Writes what `tap` gets to two FLAC files in `folder`, as long as the context is open and at its end.

    Call `write` at least every few seconds. The files are named for the time and are of use also when the
    program is killed. Raises OSError where the folder cannot be made, AudioFileError where it is full.
    """

    def __init__(self, tap: SignalTap, folder: Path) -> None:
        self._tap, self._folder = tap, folder

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        started = f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
        self.microphone = self._folder / f"{started}_microphone.flac"
        self.restored = self._folder / f"{started}_restored.flac"
        with ExitStack() as opening:
            self._files = [
                opening.enter_context(
                    soundfile.SoundFile(path, "w", self._tap.sample_rate_hz, 1, subtype="PCM_24")
                )
                for path in (self.microphone, self.restored)
            ]
            self._opened = opening.pop_all()
        self._position = self._tap.written
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._opened:
            self.write()

    def write(self) -> None:
        """Write what has come since the last time."""
        frames = self._tap.written - self._position
        for file, signal in zip(self._files, self._tap.read(self._position, frames), strict=True):
            file.write(signal)
        self._position += frames
