"""The jobs that restoring a user's files comes down to, each with a target that is still free."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from realtime.audio_file import FORMATS
from realtime.files import audio_files


@dataclass(frozen=True)
class FileJob:
    """Restore `source` into `target` with the preset of this name or path."""

    source: Path
    target: Path
    preset: str


def plan_jobs(picked: Iterable[Path], preset: str, promised: set[Path]) -> Iterator[FileJob]:
    """A job for each file, and for each audio file below each folder; the result goes beside its source.

    Targets are neither there nor in `promised`, which they join. What cannot be looked at is a job as well,
    which will tell why it fails.
    """
    for path in picked:
        for source in _sources(path):
            target = _free_target(source, promised)
            promised.add(target)
            yield FileJob(source, target, preset)


def _sources(path: Path) -> list[Path]:
    try:
        return audio_files(path) if path.is_dir() else [path]
    except OSError:
        return [path]


def _free_target(source: Path, promised: Set[Path]) -> Path:
    suffix = source.suffix if source.suffix.lower() in FORMATS else ".wav"
    for number in count(1):
        name = f"{source.stem} restored{f' {number}' if number > 1 else ''}{suffix}"
        target = source.with_name(name)
        if target not in promised and not _is_there(target):
            return target
    raise AssertionError("numbers do not end")


def _is_there(target: Path) -> bool:
    try:
        return target.exists()
    except OSError:
        return False
