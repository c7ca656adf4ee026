"""Measurements of a stream add up."""

import numpy as np
import pytest

from realtime.stats import HISTORY_HOPS, LatencyBudget, Stats


def test_percentiles_and_real_time_factor() -> None:
    stats = Stats(hop_seconds=0.1)
    for seconds in np.linspace(0.0, 0.2, 101):
        stats.record_restored_hop(seconds)
    assert stats.compute_ms(50) == pytest.approx(100.0)
    assert stats.compute_ms(95) == pytest.approx(190.0)
    assert stats.real_time_factor(50) == pytest.approx(1.0)
    assert (stats.hops, stats.late_hops, stats.dry_hops) == (101, 50, 0)


def test_only_the_newest_hops_count_for_percentiles() -> None:
    stats = Stats(hop_seconds=0.1)
    for seconds in [9.0] * 10 + [0.01] * HISTORY_HOPS:
        stats.record_restored_hop(seconds)
    assert stats.compute_ms(100) == pytest.approx(10.0)
    assert stats.hops == HISTORY_HOPS + 10


def test_dry_hops_are_counted_apart_and_keep_their_reason() -> None:
    stats = Stats(hop_seconds=0.1)
    stats.record_restored_hop(0.05)
    stats.record_dry_hop("out of memory")
    assert (stats.hops, stats.dry_hops, stats.last_error) == (2, 1, "out of memory")
    assert stats.real_time_factor(0) == pytest.approx(0.5)


def test_nothing_measured_is_zero_and_clear_returns_there() -> None:
    stats = Stats(hop_seconds=0.1)
    stats.record_restored_hop(0.05)
    stats.clear()
    assert (stats.hops, stats.compute_ms(95)) == (0, 0.0)


def test_latency_budget_adds_up() -> None:
    assert LatencyBudget(10.0, 200.0, 90.0, 12.5).total_ms == 312.5
