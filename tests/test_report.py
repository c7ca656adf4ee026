"""The report of a session tells its figures and, where there was one, its last problem."""

from dataclasses import replace

from realtime.messages import SessionReport
from realtime.report import describe
from realtime.stats import LatencyBudget

REPORT = SessionReport(
    seconds=8.65,
    latency=LatencyBudget(capture_ms=10.0, algorithm_ms=163.0, compute_ms=40.0, output_ms=7.0),
    real_time_factor_p50=0.31,
    real_time_factor_p95=0.42,
    passes_per_hop=2,
    hops=93,
    dry_hops=1,
    late_hops=4,
    bridged=6,
    dropouts=3,
    device_overruns=0,
    last_error=None,
)


def test_report_tells_delay_load_and_losses() -> None:
    lines = dict(line.split("  ", 1) for line in describe(REPORT).splitlines() if "  " in line)
    assert lines["latency"].strip() == "220 ms = capture 10 + algorithm 163 + compute 40 + output 7"
    assert lines["hops"].strip() == "93, of which 4 late and 1 unrestored"
    assert lines["dropouts"].strip() == "3, and 6 blocks bridged"
    assert "real-time factor p50 0.31, p95 0.42" in describe(REPORT)
    assert "problem" not in describe(REPORT)


def test_report_tells_the_last_problem() -> None:
    assert "last problem     out of memory" in describe(replace(REPORT, last_error="out of memory"))
