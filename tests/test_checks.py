"""A session is judged by what it tells of itself."""

from dataclasses import replace

from realtime.checks import examine_session
from realtime.messages import EngineStatus
from tests.reports import REPORT

RUNNING = EngineStatus(state="running", preset="call", report=REPORT)


def told(status: EngineStatus) -> list[tuple[bool, str]]:
    return [(finding.ok, finding.says) for finding in examine_session(status)]


def test_a_session_that_runs_tells_preset_and_speed() -> None:
    assert told(RUNNING) == [(True, "preset call on CPU"), (True, "63 % of the time there is")]


def test_nothing_is_claimed_of_the_model_before_it_is_used() -> None:
    assert told(EngineStatus()) == []
    assert told(EngineStatus(state="recovering", message="Plug the microphone in.")) == []


def test_too_much_load_comes_with_what_to_do() -> None:
    busy = replace(RUNNING, report=replace(REPORT, real_time_factor_p95=1.3))
    assert told(busy)[1] == (
        False,
        "Preset call needs 1.3 times the time there is; choose one with fewer passes, or end other programs.",
    )


def test_a_model_that_does_not_work_is_told_with_its_reason() -> None:
    assert told(EngineStatus(state="dry", message="Choose another preset.")) == [
        (False, "Choose another preset.")
    ]
