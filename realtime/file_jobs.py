"""The jobs that restoring a user's files comes down to, each with a target that is still free."""

from collections.abc import Collection, Iterable
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


def plan_jobs(picked: Iterable[Path], preset: str, taken: Collection[Path]) -> list[FileJob]:
    """A job for each file, and for each audio file below each folder; the result goes beside its source.

    Targets are neither there nor in `taken`.
    """
    jobs: list[FileJob] = []
    for path in picked:
        for source in audio_files(path) if path.is_dir() else [path]:
            target = _free_target(source, {*taken, *(job.target for job in jobs)})
            jobs.append(FileJob(source, target, preset))
    return jobs


def _free_target(source: Path, taken: Collection[Path]) -> Path:
    suffix = source.suffix if source.suffix.lower() in FORMATS else ".wav"
    for number in count(1):
        name = f"{source.stem} restored{f' {number}' if number > 1 else ''}{suffix}"
        target = source.with_name(name)
        if target not in taken and not target.exists():
            return target
    raise AssertionError("numbers do not end")
