"""A second start raises the first, in another process as well, unless that is dead or about to end."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from pytestqt.qtbot import QtBot

from gui.single_instance import SingleInstance

START = """
import sys
from PyQt6.QtCore import QCoreApplication
from gui.single_instance import SingleInstance
application = QCoreApplication([])
with SingleInstance(sys.argv[1]) as instance:
    print(instance.is_first, flush=True)
    if instance.is_first:
        application.exec()
"""


@pytest.fixture
def name() -> str:
    return f"masksr-live-test-{uuid4()}"


def start(name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", START, name], stdout=subprocess.PIPE, text=True)


def test_a_second_start_raises_the_first(qtbot: QtBot, name: str) -> None:
    with SingleInstance(name) as first:
        assert first.is_first
        for _ in range(2):
            with qtbot.waitSignal(first.raise_wanted, timeout=20_000):
                second = start(name)
            assert second.communicate()[0].split() == ["False"]


def test_after_a_quit_the_next_start_is_the_first(qtbot: QtBot, name: str) -> None:
    for _ in range(2):
        with SingleInstance(name) as instance:
            assert instance.is_first


def test_after_a_crash_the_next_start_is_the_first_and_can_be_raised(qtbot: QtBot, name: str) -> None:
    crashed = start(name)
    assert crashed.stdout is not None and crashed.stdout.readline().split() == ["True"]
    crashed.kill()
    crashed.communicate()
    with SingleInstance(name) as next_one:
        assert next_one.is_first
        with qtbot.waitSignal(next_one.raise_wanted, timeout=20_000), SingleInstance(name) as another:
            assert not another.is_first


def test_a_start_while_the_first_one_ends_waits_to_be_the_first(qtbot: QtBot, name: str) -> None:
    with SingleInstance(name) as first, qtbot.assertNotEmitted(first.raise_wanted):
        first.leave()
        second = start(name)
        with pytest.raises(subprocess.TimeoutExpired):
            second.communicate(timeout=1.0)
    assert second.stdout is not None and second.stdout.readline().split() == ["True"]
    second.kill()
    second.communicate()


def test_a_start_without_a_place_for_the_lock_is_the_first(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    with SingleInstance(name) as instance:
        assert instance.is_first
