"""The delay's parts stand in numbers and as long as they are."""

import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui import text
from gui.latency_bar import LatencyBar
from gui.palette import current_palette
from realtime.stats import LatencyBudget


@pytest.fixture
def bar(qtbot: QtBot) -> LatencyBar:
    bar = LatencyBar()
    qtbot.addWidget(bar)
    bar.resize(800, bar.sizeHint().height())
    bar.show()
    return bar


def widths(bar: LatencyBar) -> list[int]:
    """How many pixels each part has in the row that has most of them."""
    image = bar.grab().toImage()
    rows = [
        [image.pixelColor(column, row).name() for column in range(image.width())]
        for row in range(image.height())
    ]
    return [max(row.count(colour) for row in rows) for colour in current_palette().stages]


def test_each_part_is_as_long_as_it_is_slow(bar: LatencyBar) -> None:
    bar.set_budget(LatencyBudget(capture_ms=20.0, algorithm_ms=100.0, compute_ms=40.0, output_ms=40.0))
    assert widths(bar) == pytest.approx([80, 400, 160, 160], abs=8)


def test_total_and_parts_stand_in_numbers(bar: LatencyBar) -> None:
    bar.set_budget(LatencyBudget(capture_ms=12.0, algorithm_ms=186.0, compute_ms=46.0, output_ms=24.0))
    labels = bar.findChildren(QLabel)
    assert any("268" in label.text() for label in labels)
    names = [label.accessibleName() for label in labels]
    for name, part in zip(text.DELAY_PARTS, ("12", "186", "46", "24"), strict=True):
        assert any(name in one and part in one for one in names)


def test_before_there_is_a_delay_none_is_claimed(bar: LatencyBar) -> None:
    bar.set_budget(LatencyBudget(20.0, 100.0, 40.0, 40.0))
    bar.set_budget(None)
    assert max(widths(bar)) < 20  # no more than the legend's squares
    assert not any("ms" in label.text() for label in bar.findChildren(QLabel))
