"""A process with a real, tiny model restores files, gives up on demand, and its death is reported."""

import os
import sys
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest
import soundfile

from realtime.file_jobs import FileJob
from realtime.file_worker import DIED, FileEvent, FileFailed, FileProgress, FileWorker
from realtime.files import FileReport
from tests.signals import noise

RATE_HZ = 44_100
PATIENCE_SECONDS = 300.0


@pytest.fixture
def worker() -> Iterator[FileWorker]:
    with FileWorker() as worker:
        yield worker


def job(folder: Path, preset: Path, seconds: float, name: str = "voice") -> FileJob:
    source = folder / f"{name}.wav"
    soundfile.write(source, noise(int(seconds * RATE_HZ)), RATE_HZ)
    return FileJob(source, folder / f"{name} restored.wav", str(preset))


def until_the_end(worker: FileWorker) -> list[FileEvent]:
    return until(worker, (FileReport, FileFailed))


def until(worker: FileWorker, kinds: type | tuple[type, ...]) -> list[FileEvent]:
    """All events up to one of these kinds."""
    events: list[FileEvent] = []
    deadline = monotonic() + PATIENCE_SECONDS
    while not (events and isinstance(events[-1], kinds)):
        assert monotonic() < deadline, events
        events += worker.events()
        sleep(0.01)
    return events


def test_it_gives_way_to_live_sound(worker: FileWorker, tmp_path: Path, tiny_preset: Path) -> None:
    worker.start(job(tmp_path, tiny_preset, 2.0))
    until(worker, FileProgress)
    (process,) = active_children()
    assert process.pid is not None
    assert psutil.Process(process.pid).nice() >= 10
    until_the_end(worker)


def test_files_are_restored_with_progress_one_after_another(
    worker: FileWorker, tmp_path: Path, tiny_preset: Path
) -> None:
    for name in ("one", "two"):
        order = job(tmp_path, tiny_preset, 2.0, name)
        worker.start(order)
        *progress, report = until_the_end(worker)
        shares = [event.share for event in progress if isinstance(event, FileProgress)]
        assert shares == sorted(shares) and len(shares) > 5 and shares[-1] <= 1.0
        assert isinstance(report, FileReport) and report.target == order.target
        assert soundfile.info(order.target).frames == 2 * RATE_HZ


def test_a_file_that_cannot_be_read_says_why_and_stops_nothing(
    worker: FileWorker, tmp_path: Path, tiny_preset: Path
) -> None:
    missing = FileJob(tmp_path / "none.wav", tmp_path / "none restored.wav", str(tiny_preset))
    worker.start(missing)
    (failed,) = until_the_end(worker)
    assert isinstance(failed, FileFailed) and "is not there" in str(failed.error)
    worker.start(job(tmp_path, tiny_preset, 0.5))
    assert isinstance(until_the_end(worker)[-1], FileReport)


def test_a_cancelled_file_leaves_nothing_and_the_next_one_runs(
    worker: FileWorker, tmp_path: Path, tiny_preset: Path
) -> None:
    order = job(tmp_path, tiny_preset, 60.0)
    worker.start(order)
    until(worker, FileProgress)
    worker.cancel()
    assert until_the_end(worker)[-1] == FileFailed(None)
    assert [path.name for path in tmp_path.iterdir()] == [order.source.name]
    worker.start(job(tmp_path, tiny_preset, 0.5, "next"))
    assert isinstance(until_the_end(worker)[-1], FileReport)


def test_leaving_amid_a_file_leaves_nothing_behind(tmp_path: Path, tiny_preset: Path) -> None:
    order = job(tmp_path, tiny_preset, 60.0)
    with FileWorker() as worker:
        worker.start(order)
        until(worker, FileProgress)
    assert [path.name for path in tmp_path.iterdir()] == [order.source.name]


def test_its_death_is_told_and_harms_nobody(worker: FileWorker, tmp_path: Path, tiny_preset: Path) -> None:
    worker.start(job(tmp_path, tiny_preset, 60.0))
    until(worker, FileProgress)
    (child,) = [child for child in active_children() if child.name == "masksr files"]
    child.kill()
    assert until_the_end(worker)[-1] == FileFailed(DIED)
    worker.cancel()


def test_the_caller_loads_no_torch() -> None:
    code = "import sys, realtime.file_worker; sys.exit('torch' in sys.modules)"
    assert os.spawnl(os.P_WAIT, sys.executable, sys.executable, "-c", code) == 0
