"""The benchmark reports every figure, in words and beside an older report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from main import main
from model.masksr import MaskSR
from presets.preset import load_preset
from realtime import bench
from realtime.bench import BenchError, Report, measure, seconds_to_first_sample
from realtime.bench_report import compare, read_timings, to_json, to_table


@pytest.fixture(scope="module")
def report(tiny_preset: Path, tiny_bundle: Path) -> Report:
    shares: list[float] = []
    report = measure(
        load_preset(tiny_preset), MaskSR.load(tiny_bundle), lambda share, what: shares.append(share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return report


def test_every_figure_is_measured(report: Report) -> None:
    assert report.cost.hops == 150
    assert 0 < report.cost.real_time_factor == report.seconds_per_second[f"preset {report.preset}"]
    assert 0.1 < report.start_seconds < 240
    assert 50 < report.peak_ram_mib < 50_000
    assert report.threads >= 1
    floor = report.floor
    assert floor.ms == pytest.approx(
        max(floor.moved_mib / floor.mib_per_ms, floor.megaoperations / floor.megaoperations_per_ms)
    )
    assert 0 < floor.ms < report.cost.parts["hop"].p99_ms
    own = {"plain float32", "whole file, 16 passes", "codec, encoding", "codec, decoding"}
    assert own < set(report.seconds_per_second)
    assert len(report.seconds_per_second) + len(report.missing) == 7


def test_all_is_measured_where_the_model_is_though_there_is_a_card(
    tiny_preset: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = MaskSR.load(tiny_bundle, on_cpu=True)
    for module in ("model.masksr", "model.training"):
        monkeypatch.setattr(f"{module}.device_and_dtype", lambda: (torch.device("cuda"), torch.bfloat16))
    quick = {"HOPS": 1, "FEW_HOPS": 1, "CONTEXT_FRAMES": (), "PASSES": (), "WHOLE_FILE_PASSES": 1}
    elsewhere: dict[str, object] = {
        "seconds_to_first_sample": 0.0,
        "_floor": None,
        "_codec": {},
        "_denoisers": ({}, []),
    }
    for name, value in quick.items():
        monkeypatch.setattr(bench, name, value)
    for name, result in elsewhere.items():
        monkeypatch.setattr(bench, name, lambda *arguments, result=result: result)
    assert measure(load_preset(tiny_preset), model, lambda share, what: None).device == "CPU"


def test_growth_is_that_of_window_passes_and_size(report: Report) -> None:
    values: dict[str, list[float]] = {}
    for step in report.growth:
        assert step.hop_ms > 0
        values.setdefault(step.what, []).append(step.value)
    assert values["window, frames"] == [12, 36, 60, 108, 204]
    assert values["passes"] == [1, 2, 4, 8]
    assert values["parameters, millions"][0] == min(values["parameters, millions"])


def test_the_table_has_every_system_and_part(report: Report) -> None:
    table = to_table(replace(report, missing=["Nonesuch"]))
    assert all(word in table for word in [*report.seconds_per_second, *report.cost.parts, "passes"])
    assert "Nonesuch not installed: pip install" in table
    assert f"cannot take less than {report.floor.ms:.2f} ms" in table


def test_what_became_slower_is_marked(report: Report, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(to_json(report))
    before = read_timings(old)
    assert "slower" not in compare(report, before)
    slow = compare(replace(report, start_seconds=1.2 * report.start_seconds), before)
    marked = [line for line in slow.splitlines() if line.endswith("slower")]
    assert [line.split(",")[0] for line in marked] == ["start"]
    assert marked[0].split()[-2] == "1.20"


def test_the_command_prints_json_compares_and_draws(
    report: Report,
    tiny_preset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("realtime.bench.measure", lambda preset, model, show: report)
    quick = {"parts": {"hop": {"p50_ms": 1e-6}}, "real_time_factor": 1e6}
    old = {"cost": quick, "start_seconds": 1e6, "growth": [], "seconds_per_second": {}}
    Path("old.json").write_text(json.dumps(old))
    assert main(["bench", "--preset", str(tiny_preset), "--json", "--compare", "old.json"]) == 0
    out, error = capsys.readouterr()
    assert out.strip() == to_json(report).strip()
    slower = [line for line in error.splitlines() if line.endswith("slower")]
    assert [line.split("  ")[0] for line in slower] == ["hop p50_ms"]
    assert Path("results/bench/growth.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({"cost": {"parts": 3}})])
def test_another_file_cannot_be_compared_with(tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(BenchError, match=r"old\.json is no report of bench --json"):
        read_timings(tmp_path / "old.json")


def test_a_process_that_dies_is_one_error(tiny_preset: Path) -> None:
    with pytest.raises(BenchError, match="could not restore"):
        seconds_to_first_sample(load_preset(tiny_preset, bundle="nowhere"))
