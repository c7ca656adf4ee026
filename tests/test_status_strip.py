"""The figures of the engine's status, in words that a screen reader finds."""

from dataclasses import replace

import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui import text
from gui.palette import current_palette
from gui.status_strip import StatusStrip
from realtime.messages import EngineStatus
from tests.reports import REPORT

STATUS = EngineStatus(state="running", report=REPORT, rung="2 of 4 passes", passes_now=2, passes_wanted=4)


@pytest.fixture
def strip(qtbot: QtBot) -> StatusStrip:
    strip = StatusStrip()
    qtbot.addWidget(strip)
    strip.resize(700, strip.sizeHint().height())
    strip.show()
    return strip


def figures(strip: StatusStrip) -> dict[str, str]:
    return {label.accessibleName(): label.text() for label in strip.findChildren(QLabel)}


def test_every_figure_is_shown_under_its_name(strip: StatusStrip) -> None:
    strip.set_status(STATUS)
    shown = figures(strip)
    assert shown[text.LOAD] == "63 %" and shown[text.DROPOUTS] == "5" and shown[text.COMPUTES_ON] == "CPU"
    assert shown[text.PASSES] == "2 of 4" and shown[text.RUNG] == text.RUNG_LESS


@pytest.mark.parametrize(("passes", "word"), [(4, "full"), (3, "less"), (0, "none")])
def test_the_effort_is_a_word_that_says_more_when_asked(strip: StatusStrip, passes: int, word: str) -> None:
    strip.set_status(replace(STATUS, passes_now=passes, rung="as the machine can"))
    effort = next(label for label in strip.findChildren(QLabel) if label.accessibleName() == text.RUNG)
    assert (effort.text(), effort.accessibleDescription()) == (word, "as the machine can")
    figure = effort.parentWidget()
    assert figure is not None
    assert "as the machine can" in figure.toolTip()


def test_nothing_is_claimed_before_sound_flows(strip: StatusStrip) -> None:
    strip.set_status(EngineStatus())
    shown = figures(strip)
    assert {shown[name] for name in (text.LOAD, text.DROPOUTS, text.PASSES, text.RUNG)} == {text.UNKNOWN}


@pytest.mark.parametrize(
    ("load", "colour"), [(0.5, "good"), (0.9, "warning"), (1.2, "danger")], ids=["fine", "busy", "too much"]
)
def test_the_load_changes_colour_before_it_is_too_much(strip: StatusStrip, load: float, colour: str) -> None:
    strip.set_status(replace(STATUS, report=replace(REPORT, real_time_factor_p95=load)))
    image = strip.grab().toImage()
    colours = {image.pixelColor(column, row).name() for column in range(60) for row in range(image.height())}
    palette = current_palette()
    assert {palette.good, palette.warning, palette.danger} & colours == {getattr(palette, colour)}


def test_a_long_value_does_not_widen_the_window(strip: StatusStrip) -> None:
    narrow = strip.minimumSizeHint().width()
    strip.set_status(
        replace(
            STATUS, device="NVIDIA GeForce RTX 4090 Laptop Graphics", rung="unrestored " * 9, passes_now=0
        )
    )
    assert strip.minimumSizeHint().width() == narrow
