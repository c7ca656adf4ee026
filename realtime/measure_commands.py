"""The commands that measure speed, delay and long sessions."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from model.command_line import (
    RESULTS,
    Command,
    Commands,
    add_command,
    add_json_option,
    add_preset_option,
    print_json,
    progress_bar,
)
from model.errors import MaskSRError

if TYPE_CHECKING:
    from realtime.ring import Samples


def add_commands(commands: Commands) -> None:
    bench = add_command(commands, "bench", run_bench, "measure how fast this machine restores")
    add_preset_option(bench)
    add_json_option(bench)
    instead = bench.add_mutually_exclusive_group()
    instead.add_argument("--compare", type=Path, metavar="OLD.json", help="set beside an earlier --json")
    instead.add_argument(
        "--candidates", action="store_true", help="compare ways to compute on the processor instead (minutes)"
    )
    latency = add_command(
        commands, "latency", run_latency, "measure the delay of a live session on the sound server"
    )
    add_preset_option(latency)
    add_json_option(latency)
    soak = add_command(commands, "soak", run_soak, "run a live session for long and see what it costs")
    soak.add_argument("--minutes", type=float, default=30.0, metavar="N", help="default: %(default)s")
    add_preset_option(soak)
    add_json_option(soak)


def run_bench(command: Command) -> None:
    if command.candidates:
        _compare_candidates(command)
    else:
        _measure_speed(command)


def _compare_candidates(command: Command) -> None:
    import torch

    from model.bundle import Bundle, bundle_folder
    from model.candidates import measure, to_table
    from presets.preset import load_preset
    from realtime.threads import leave_room

    preset = load_preset(command.preset or "cpu")
    noisy = torch.from_numpy(_sample()[-preset.plan.window_samples :])[None]
    leave_room()
    with progress_bar() as show:
        results = measure(Bundle.load(bundle_folder(preset.bundle)), preset.plan, noisy, show)
    if command.json:
        print_json([asdict(result) for result in results])
    else:
        print(to_table(results))


def _measure_speed(command: Command) -> None:
    from realtime.bench import measure
    from realtime.bench_report import compare, plot_growth, read_timings, to_json, to_table
    from realtime.model_loader import load_with_preset

    before = None if command.compare is None else read_timings(command.compare)
    preset, model = load_with_preset(command.preset)
    with progress_bar() as show:
        report = measure(preset, model, show)
    picture = RESULTS / "bench" / "growth.png"
    plot_growth(report, picture)
    print(
        to_json(report)
        if command.json
        else f"{to_table(report)}\n\nwhat a hop grows with is drawn in {picture}"
    )
    if before is not None:
        print(compare(report, before), file=sys.stderr if command.json else sys.stdout)


def run_latency(command: Command) -> None:
    from realtime.latency import measure_latency

    latency = measure_latency(_sample(), command.preset)
    if command.json:
        print_json(asdict(latency))
        return
    parts = asdict(latency.announced) | {
        "announced_ms": latency.announced.total_ms,
        "measured_ms": latency.measured_ms,
    }
    for name, value in parts.items():
        print(f"{name:16} {value:6.1f}")


def run_soak(command: Command) -> None:
    from realtime.soak import soak

    with progress_bar() as show:
        result = soak(_sample(), command.minutes, command.preset, show)
    figures = asdict(result)
    if command.json:
        print_json(figures)
    else:
        for name, value in figures.items():
            print(f"{name:20} {value:10.2f}" if isinstance(value, float) else f"{name:20} {value!s:>7}")
    if result.lost_rounds:
        raise MaskSRError(
            f"The voice was lost in {result.lost_rounds} of {result.rounds} rounds;"
            " see what `main.py doctor` says, or choose another preset."
        )


def _sample() -> "Samples":
    import soundfile

    from realtime.demo import SAMPLE

    return soundfile.read(SAMPLE, dtype="float32")[0]
