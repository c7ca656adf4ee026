"""A mailbox gives the newest whole value, in whatever process."""

import multiprocessing

import pytest

from realtime.mailbox import CAPACITY_BYTES, Mailbox
from realtime.messages import EngineSettings
from tests.pulse_server import wait_until


def answer(questions: "Mailbox[int]", answers: "Mailbox[int]") -> None:
    while (question := questions.get()) >= 0:
        answers.put(question**2)


def test_processes_read_what_others_put() -> None:
    questions, answers = Mailbox(0), Mailbox(0)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=answer, args=(questions, answers))
    process.start()
    questions.put(3)
    wait_until(lambda: answers.get() == 9)
    questions.put(12)
    wait_until(lambda: answers.get() == 144)
    questions.put(-1)
    process.join()
    assert process.exitcode == 0


def test_the_newest_value_is_read_and_read_again() -> None:
    mailbox = Mailbox(EngineSettings())
    assert mailbox.get() == EngineSettings()
    for preset in ("call", "cpu"):
        mailbox.put(EngineSettings(preset=preset))
    assert [mailbox.get().preset for _ in range(2)] == ["cpu", "cpu"]


def test_a_value_whose_writer_died_half_way_is_not_seen() -> None:
    mailbox = Mailbox("first")
    mailbox.put("second")
    assert mailbox.get() == "second"
    mailbox.put("third")
    mailbox._bytes[20] ^= 0xFF
    assert mailbox.get() == "second"


@pytest.mark.parametrize("written_bytes", range(1, 16))
def test_a_first_value_of_which_only_the_beginning_is_written_yet_is_not_seen(written_bytes: int) -> None:
    whole, partial = Mailbox("first"), Mailbox("first")
    whole.put("second")
    partial._bytes[:written_bytes] = whole._bytes[:written_bytes]
    assert partial.get() == "first"


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Mailbox(b"").put(bytes(CAPACITY_BYTES))
