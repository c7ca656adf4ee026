"""A report of `main.py bench` in words, in a picture, and beside an older one."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from realtime.bench import BenchError, Report

SLOWER = 1.1  # this much more time than before is marked


def to_json(report: Report) -> str:
    return json.dumps(asdict(report), indent=2)


def to_table(report: Report) -> str:
    """All figures as text."""
    cost, floor = report.cost, report.floor
    hop_ms = cost.parts["hop"].p50_ms
    lines = [
        f"preset {report.preset}, {report.passes} passes per hop, {report.device}, {report.threads} threads",
        f"hop {cost.hop_ms:.0f} ms, latency {cost.latency_ms:.0f} ms before computing and buffers",
        f"real-time factor {cost.real_time_factor:.3f}, over {cost.hops} hops",
        f"a hop moves {floor.moved_mib:.1f} MiB at {floor.mib_per_ms:.1f} a ms, and takes"
        f" {floor.megaoperations:.0f} million operations at {floor.megaoperations_per_ms:.0f} a ms:",
        f"it cannot take less than {floor.ms:.2f} ms, and takes {hop_ms / floor.ms:.1f} times as long",
        f"peak memory {report.peak_ram_mib:.0f} MiB, of the graphics card {report.peak_vram_mib:.0f} MiB",
        f"first restored sample {report.start_seconds:.1f} s after a process starts",
        "",
        f"{'ms of a hop':24} {'p50':>8} {'p95':>8} {'p99':>8}",
    ]
    for part, times in cost.parts.items():
        lines.append(f"{part:24} {times.p50_ms:8.2f} {times.p95_ms:8.2f} {times.p99_ms:8.2f}")
    for what, steps in groupby(report.growth, lambda step: step.what):
        lines += ["", f"{what:24} {'ms of a hop':>12}"]
        lines += [f"{step.value:<24.4g} {step.hop_ms:12.1f}" for step in steps]
    lines += ["", f"{'computing time':24} {'s/s':>8} {'ratio':>8}"]
    for system, seconds in report.seconds_per_second.items():
        lines.append(f"{system:24} {seconds:8.4f} {seconds / cost.real_time_factor:8.2f}")
    if report.missing:
        names = " and ".join(report.missing)
        lines.append(f"{names} not installed: pip install -c constraints.txt -e '.[bench]'")
    return "\n".join(lines)


def read_timings(path: Path) -> dict[str, float]:
    """The times in a report that was kept with --json, by what took them.

    Raises:
        BenchError: the file is not such a report.
    """
    try:
        return dict(_timings(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BenchError(f"{path} is no report of bench --json ({error}): name one that is.") from error


def compare(report: Report, before: dict[str, float]) -> str:
    """The times of this report over those of an older one; slower ones are marked."""
    lines = [f"{'over the older report':32} {'before':>10} {'now':>10} {'ratio':>8}"]
    for name, now in _timings(asdict(report)):
        if before.get(name):
            ratio = now / before[name]
            mark = "  slower" if ratio > SLOWER else ""
            lines.append(f"{name:32} {before[name]:10.3f} {now:10.3f} {ratio:8.2f}{mark}")
    return "\n".join(lines)


def _timings(report: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for part, times in report["cost"]["parts"].items():
        yield from ((f"{part} {name}", value) for name, value in times.items())
    yield "real-time factor", report["cost"]["real_time_factor"]
    yield "start, s", report["start_seconds"]
    for step in report["growth"]:
        yield f"{step['what']} {step['value']:.4g}, ms", step["hop_ms"]
    for system, seconds in report["seconds_per_second"].items():
        yield f"{system}, s/s", seconds


def plot_growth(report: Report, path: Path) -> None:
    """Draw the time of a hop against window length, passes and model size."""
    from matplotlib.figure import Figure

    groups = [(what, list(steps)) for what, steps in groupby(report.growth, lambda step: step.what)]
    figure = Figure(figsize=(4 * len(groups), 3.5), layout="constrained")
    for axis, (what, steps) in zip(figure.subplots(1, len(groups), sharey=True), groups, strict=True):
        steps.sort(key=lambda step: step.value)
        axis.plot([step.value for step in steps], [step.hop_ms for step in steps], marker="o")
        axis.axhline(report.cost.hop_ms, color="grey", linestyle="--")
        axis.set(xlabel=what, ylabel="ms of a hop", ylim=(0, None))
        axis.label_outer()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
