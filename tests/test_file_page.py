"""Files that are dropped or added are restored by a real process, with progress, cancel and plain words."""

from collections.abc import Iterator
from itertools import count
from multiprocessing import active_children
from pathlib import Path
from threading import Event

import pytest
import soundfile
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from gui import text
from gui.background import Background
from gui.file_page import FilePage
from gui.file_queue import FileQueue, FileRole
from tests.signals import noise

RATE_HZ = 44_100
PATIENCE_MS = 300_000


@pytest.fixture
def background() -> Background:
    return Background()


@pytest.fixture
def page(background: Background, qtbot: QtBot, tiny_preset: Path) -> Iterator[FilePage]:
    page = FilePage(background)
    page.set_presets({str(tiny_preset): "Tiny"})
    qtbot.addWidget(page)
    page.show()
    yield page
    page.close_queue()
    background.close()
    assert not [child for child in active_children() if child.name == "masksr files"]


def recording(folder: Path, name: str, seconds: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    soundfile.write(path, noise(int(seconds * RATE_HZ)), RATE_HZ)
    return path


def drop(page: FilePage, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    page.dropEvent(QDropEvent(QPointF(5, 5), copy, data, button, Qt.KeyboardModifier.NoModifier))


def click(page: FilePage, name: str) -> None:
    (button,) = [each for each in page.findChildren(QPushButton) if each.text() == name]
    assert button.isEnabled()
    button.click()


def words(queue: FileQueue) -> dict[str, str]:
    """What the list shows: the notes by the files' names."""
    rows = [queue.index(row) for row in range(queue.rowCount())]
    return {row.data(): row.data(FileRole.NOTE) for row in rows}


def test_dropped_files_and_folders_are_restored(page: FilePage, qtbot: QtBot, tmp_path: Path) -> None:
    one = recording(tmp_path, "one.wav", 1.0)
    two = recording(tmp_path / "folder", "two.flac", 0.5)
    drop(page, one, two.parent)
    qtbot.waitUntil(lambda: page.queue.ended == 2, timeout=PATIENCE_MS)
    assert words(page.queue) == {
        "one.wav": text.FILE_DONE.format(name="one restored.wav"),
        "two.flac": text.FILE_DONE.format(name="two restored.flac"),
    }
    assert soundfile.info(tmp_path / "one restored.wav").frames == RATE_HZ
    click(page, text.FILE_CLEAR)
    assert page.queue.rowCount() == 0


@pytest.mark.parametrize("name", [text.FILE_PICK, text.FILE_PICK_FOLDER])
def test_what_is_picked_is_restored_and_picking_holds_up_nothing(
    page: FilePage, qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    voice = recording(tmp_path / "in", "voice.wav", 0.5)
    click(page, name)
    dialog = page.findChild(QFileDialog)
    assert dialog is not None and dialog.isVisible()  # the click is over, and the dialog still there
    dialog.filesSelected.emit([str(voice if name == text.FILE_PICK else voice.parent)])
    dialog.reject()
    qtbot.waitUntil(lambda: page.queue.ended == 1, timeout=PATIENCE_MS)
    assert words(page.queue)["voice.wav"].startswith("Saved as")


def test_what_is_no_audio_says_so_and_the_rest_is_restored(
    page: FilePage, qtbot: QtBot, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.wav"
    letter.write_text("Dear Anna")
    page.add([letter, recording(tmp_path, "voice.wav", 0.5)])
    qtbot.waitUntil(lambda: page.queue.ended == 2, timeout=PATIENCE_MS)
    heard = page.queue.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert heard.startswith("letter.wav: ") and "not audio" in heard
    assert words(page.queue)["voice.wav"] == text.FILE_DONE.format(name="voice restored.wav")


def test_a_name_that_leaves_no_room_for_the_results_costs_no_other_file(
    page: FilePage, qtbot: QtBot, tmp_path: Path
) -> None:
    longest = recording(tmp_path, "v" * 250 + ".wav", 0.5)
    drop(page, longest, recording(tmp_path, "voice.wav", 0.5))
    qtbot.waitUntil(lambda: page.queue.ended == 2, timeout=PATIENCE_MS)
    assert "too long" in words(page.queue)[longest.name]
    assert words(page.queue)["voice.wav"] == text.FILE_DONE.format(name="voice restored.wav")


def test_what_is_dropped_twice_while_there_is_other_work_gets_two_results(
    page: FilePage, background: Background, qtbot: QtBot, tmp_path: Path
) -> None:
    voice, work = recording(tmp_path, "voice.wav", 0.5), Event()
    background.run(work.wait)
    drop(page, voice)
    drop(page, voice)
    work.set()
    qtbot.waitUntil(lambda: page.queue.ended == 2, timeout=PATIENCE_MS)
    assert len(list(tmp_path.glob("voice restored*.wav"))) == 2


def test_the_end_waits_for_no_plan(background: Background, qtbot: QtBot, tmp_path: Path) -> None:
    page = FilePage(background)
    qtbot.addWidget(page)
    page.add(tmp_path / f"{number}.wav" for number in count())
    background.close()


def test_cancel_gives_up_all_and_leaves_nothing(page: FilePage, qtbot: QtBot, tmp_path: Path) -> None:
    long, waiting = recording(tmp_path, "long.wav", 60.0), recording(tmp_path, "waiting.wav", 1.0)
    page.add([long, waiting])
    qtbot.waitUntil(
        lambda: page.queue.rowCount() > 0 and page.queue.index(0).data(FileRole.SHARE) > 0.0,
        timeout=PATIENCE_MS,
    )
    click(page, text.FILE_CANCEL)
    qtbot.waitUntil(lambda: not page.queue.is_busy, timeout=PATIENCE_MS)
    assert set(words(page.queue).values()) == {text.FILE_CANCELLED}
    assert sorted(tmp_path.iterdir()) == [long, waiting]


def test_after_the_process_died_the_next_file_gets_another(
    page: FilePage, qtbot: QtBot, tmp_path: Path
) -> None:
    page.add([recording(tmp_path, "long.wav", 60.0), recording(tmp_path, "next.wav", 0.5)])
    qtbot.waitUntil(
        lambda: page.queue.rowCount() > 0 and page.queue.index(0).data(FileRole.SHARE) > 0.0,
        timeout=PATIENCE_MS,
    )
    (child,) = [child for child in active_children() if child.name == "masksr files"]
    child.kill()
    qtbot.waitUntil(lambda: page.queue.ended == 2, timeout=PATIENCE_MS)
    assert page.queue.index(0).data(FileRole.STATE) == "failed"
    assert page.queue.index(1).data(FileRole.STATE) == "done"
