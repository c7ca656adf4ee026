"""MaskSR Live: the command line."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from model.errors import MaskSRError

if TYPE_CHECKING:  # what a command needs it imports itself: --help must not wait for torch
    from model.curve import Line, Point
    from model.masksr import MaskSR, RestorerStream
    from presets.preset import Preset
    from realtime.files import FileReport
    from realtime.messages import EngineStatus

CONFIGS = Path(__file__).parent / "model" / "configs"
RUNS, RESULTS = Path("runs"), Path("results")
Command = argparse.Namespace
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 after an error or 130 after Ctrl-C. Wrong usage exits with 2."""
    command = _parser().parse_args(arguments)
    try:
        command.run(command)
    except (MaskSRError, OSError) as error:
        print(f"main.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("main.py: stopped", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Makes a bad microphone sound like a studio one: restores speech live and in files.",
        epilog="Without a command: the window, or the demo where there is no screen.",
    )
    parser.set_defaults(run=run_default, preset=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    restore = _add(commands, "restore", run_restore, "restore an audio file, or every one in a folder")
    restore.add_argument("input", type=Path, metavar="IN", help="file or folder")
    restore.add_argument("output", type=Path, metavar="OUT", help="file, or folder (files in it are kept)")
    _add_preset(restore)
    restore.add_argument("--passes", type=int, metavar="N", help="sampling passes (default: the preset's)")
    restore.add_argument("--seed", type=int, default=0, metavar="S", help="equal seeds give equal results")

    live = _add(commands, "live", run_live, "restore the microphone until Ctrl-C")
    live.epilog = "Ends with 0 after Ctrl-C or SIGTERM, with 1 after an error, with 2 after wrong usage."
    live.add_argument("--input", metavar="NAME", help="microphone, by number or part of its name")
    outputs = live.add_mutually_exclusive_group()
    outputs.add_argument("--output", metavar="NAME", help="speaker, by number or part of its name")
    outputs.add_argument("--virtual-mic", action="store_true", help="be a microphone for other programs")
    live.add_argument("--monitor", metavar="NAME", help="listen on this device as well")
    live.add_argument("--record", type=Path, metavar="DIR", help="keep both signals as files in this folder")
    live.add_argument("--json", action="store_true", help="print a line of JSON every second")
    _add_preset(live)
    status = _add(commands, "status", run_status, "tell how a live session is doing that `live` started")
    status.add_argument("--json", action="store_true", help="print JSON")

    doctor = _add(commands, "doctor", run_doctor, "check what live sessions need and say what to do")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    _add_preset(doctor)

    devices = _add(commands, "devices", run_devices, "list microphones and speakers")
    devices.add_argument("--json", action="store_true", help="print JSON")
    _add_virtual_mic(commands)

    demo = _add(commands, "demo", run_demo, "stream the bundled noisy sample and keep the result")
    demo.add_argument(
        "--output", type=Path, default=RESULTS / "demo", metavar="FOLDER", help="default: %(default)s"
    )
    _add_preset(demo)

    screenshot = _add(commands, "screenshot", run_screenshot, "picture the window at work, without a screen")
    screenshot.add_argument("picture", type=Path, metavar="FILE", help="the PNG to write")
    screenshot.add_argument("--theme", choices=["dark", "light"], default="dark", help="default: %(default)s")

    frame_rate = _add(
        commands, "frame-rate", run_frame_rate, "measure the start and the drawing of the window"
    )
    frame_rate.add_argument("--seconds", type=float, default=10.0, metavar="S", help="default: %(default)s")
    frame_rate.add_argument("--json", action="store_true", help="print JSON")

    bench = _add(commands, "bench", run_bench, "measure how fast this machine restores")
    _add_preset(bench)
    bench.add_argument("--json", action="store_true", help="print JSON")
    bench.add_argument("--compare", type=Path, metavar="OLD.json", help="set beside an earlier --json")

    latency = _add(
        commands, "latency", run_latency, "measure the delay of a live session on the sound server"
    )
    _add_preset(latency)
    latency.add_argument("--json", action="store_true", help="print JSON")

    soak = _add(commands, "soak", run_soak, "run a live session for long and see what it costs")
    soak.add_argument("--minutes", type=float, default=30.0, metavar="N", help="default: %(default)s")
    _add_preset(soak)
    soak.add_argument("--json", action="store_true", help="print JSON")

    evaluate = _add(commands, "evaluate", run_evaluate, "judge restored speech, streamed and whole-file")
    evaluate.add_argument("folder", type=Path, metavar="DIR", help="index.csv, *_clean.flac, *_noisy.flac")
    _add_preset(evaluate)
    evaluate.add_argument(
        "--codec", metavar="BUNDLE", help="judge this bundle's codec alone, on clean speech"
    )
    evaluate.add_argument("--limit", type=int, metavar="N", help="at most N recordings of each condition")
    evaluate.add_argument("--json", action="store_true", help="print JSON")

    curve = _add(commands, "curve", run_curve, "measure quality and cost against sampling passes")
    curve.add_argument("folder", type=Path, metavar="DIR", help="as for evaluate; judges the words in it")
    _add_preset(curve)
    curve.add_argument("--orders", action="store_true", help="compare orders of unmasking instead")
    curve.add_argument("--beside", metavar="BUNDLE", help="add rolling sampling with the weights of another")
    curve.add_argument("--limit", type=int, metavar="N", help="at most N recordings")
    curve.add_argument(
        "--output", type=Path, default=RESULTS / "curve", metavar="FOLDER", help="default: %(default)s"
    )
    curve.add_argument("--json", action="store_true", help="print JSON")

    _add_training(commands)
    _add_import(commands)
    return parser


def _add_virtual_mic(commands: Commands) -> None:
    virtual_mic = commands.add_parser("virtual-mic", help="keep a microphone for other programs")
    actions = virtual_mic.add_subparsers(required=True)
    on = _add(actions, "on", run_virtual_mic_on, "make a virtual microphone that stays")
    on.add_argument(
        "--idle",
        choices=["silence", "dry"],
        default="silence",
        help="what it gives while nothing is restored (default: %(default)s)",
    )
    on.add_argument("--input", metavar="NAME", help="microphone of the dry signal")
    off = _add(actions, "off", run_virtual_mic_off, "remove the virtual microphone")
    status = _add(actions, "status", run_virtual_mic_status, "tell whether there is a virtual microphone")
    for action in (on, off, status):
        action.add_argument("--json", action="store_true", help="print JSON")


def _add_training(commands: Commands) -> None:
    data = commands.add_parser("data", help="prepare training data").add_subparsers(required=True)
    prepare = _add(data, "prepare", run_data_prepare, "read recordings into a training set")
    prepare.add_argument("source", type=Path, metavar="SOURCE", help="folder of recordings")
    prepare.add_argument(
        "output", type=Path, metavar="OUTPUT", nargs="?", default=RUNS / "data", help="default: %(default)s"
    )

    models = commands.add_parser("train", help="train a model").add_subparsers(required=True)
    codec = _add(models, "codec", run_train_codec, "train the codec")
    codec.set_defaults(config=CONFIGS / "codec_compact.toml", output=RUNS / "codec")
    codec.add_argument("--start", metavar="BUNDLE", help="go on from the codec of this bundle")
    language_model = _add(models, "lm", run_train_lm, "train the language model for a trained codec")
    language_model.set_defaults(config=CONFIGS / "lm_compact.toml", output=RUNS / "lm")
    starts = language_model.add_mutually_exclusive_group()
    starts.add_argument(
        "--codec", metavar="BUNDLE", default=RUNS / "codec" / "bundle", help="default: %(default)s"
    )
    starts.add_argument(
        "--start", metavar="BUNDLE", help="go on from codec and language model of this bundle"
    )
    for model in (codec, language_model):
        model.add_argument("--config", type=Path, metavar="FILE", help="settings (default: %(default)s)")
        model.add_argument(
            "--data", type=Path, metavar="SET", default=RUNS / "data", help="default: %(default)s"
        )
        model.add_argument("--output", type=Path, metavar="FOLDER", help="default: %(default)s")
        model.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")


def _add_import(commands: Commands) -> None:
    bundle = commands.add_parser("bundle", help="make bundles of weights").add_subparsers(required=True)
    import_dac = _add(bundle, "import-dac", run_import_dac, "make a bundle of the official codec")
    import_dac.add_argument("--weights", type=Path, metavar="FILE", help="DAC's .pth (default: download it)")
    import_dac.add_argument("--output", type=Path, metavar="FOLDER", required=True, help="the new bundle")


def _add(
    commands: Commands, name: str, run: Callable[[Command], None], summary: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
    parser.set_defaults(run=run)
    return parser


def _add_preset(parser: argparse.ArgumentParser) -> None:
    text = "call, balanced, studio, cpu or a .toml file (default: balanced with a graphics card, else cpu)"
    parser.add_argument("--preset", metavar="P", help=text)


def run_default(command: Command) -> None:
    """The main job: the window where there is a screen, else the demo."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        print("There is no screen. Playing the demo instead.")
        command.output = RESULTS / "demo"
        run_demo(command)
    else:
        from gui.app import run

        run()


def run_restore(command: Command) -> None:
    from realtime.files import restore_file, restore_folder

    preset, model = _load(command, **({} if command.passes is None else {"passes": command.passes}))
    with _progress_bar() as show:
        arguments = (
            command.input,
            command.output,
            lambda: _stream(model, preset, command.seed),
            lambda source, share: show(share, source.name),
        )
        if not command.input.is_dir():
            _tell_about(restore_file(*arguments))
            return
        folder = restore_folder(*arguments)
    for file in folder.restored:
        _tell_about(file)
    print(f"{len(folder.restored)} files restored, {len(folder.skipped)} were there already")
    for error in folder.failed.values():
        print(error, file=sys.stderr)
    if folder.failed:
        raise MaskSRError(f"{len(folder.failed)} files failed; mend or remove them and run this again.")


def run_live(command: Command) -> None:
    from realtime.headless import run_headless, status_line
    from realtime.messages import EngineSettings
    from realtime.report import describe

    settings = EngineSettings(
        microphone=command.input,
        output=command.output,
        virtual_mic=command.virtual_mic,
        monitor=command.monitor,
        preset=command.preset,
    )
    if command.json:
        _print_json(run_headless(settings, lambda status, tap: _print_json(status), 1.0, command.record))
        return
    print("Restoring. Ctrl-C ends.", flush=True)
    width = shutil.get_terminal_size().columns - 1
    report = run_headless(
        settings,
        lambda status, tap: print(f"\r{status_line(status, tap):{width}.{width}}", end="", flush=True),
        record=command.record,
    ).report
    print("" if report is None else f"\n{describe(report)}")


def run_status(command: Command) -> None:
    from realtime.session_file import read_session

    session = read_session()
    if command.json:
        print(json.dumps(session or {"state": "stopped"}, indent=2))
    if session is None:
        raise MaskSRError("No live session is running; `main.py live` starts one.")
    if not command.json:
        print(f"{session['state']}: {session['microphone']} to {session['output']}, {session['rung']}")
        print(session["message"] or f"Process {session['process']} restores with preset {session['preset']}.")


def run_doctor(command: Command) -> None:
    from realtime.doctor import examine

    findings = []
    for finding in examine(command.preset):
        findings.append(finding)
        if not command.json:
            print(f"{'ok ' if finding.ok else 'BAD'} {finding.name:18} {finding.says}", flush=True)
    if command.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    failed = [finding.name for finding in findings if not finding.ok]
    if failed:
        raise MaskSRError(f"Not in order: {', '.join(failed)}; do what is said there.")


def run_devices(command: Command) -> None:
    from realtime.devices import list_devices

    devices = list_devices()
    if command.json:
        print(json.dumps([asdict(device) for device in devices], indent=2))
        return
    for device in devices:
        marks = {"default": device.is_default, "ours": device.is_ours, "monitor": device.is_monitor}
        print(
            f"{device.direction:6} {device.index:3}  {device.description:40} {device.rate_hz:6} Hz"
            f" {device.channels:2} ch  {device.host_api}  {' '.join(mark for mark in marks if marks[mark])}"
        )


def run_virtual_mic_on(command: Command) -> None:
    from realtime.virtual_mic import switch_on

    switch_on(command.idle, command.input)
    run_virtual_mic_status(command)


def run_virtual_mic_off(command: Command) -> None:
    from realtime.virtual_mic import switch_off

    switch_off()
    run_virtual_mic_status(command)


def run_virtual_mic_status(command: Command) -> None:
    from realtime.virtual_mic import status

    now = status()
    if command.json:
        print(json.dumps(asdict(now), indent=2))
        return
    print(
        {
            "off": "There is no virtual microphone.",
            "on": f"{now.microphone} is on; it gives {now.idle} while nothing is restored.",
            "session": f"{now.microphone} is there until the live session ends.",
            "leftover": f"{now.microphone} was left by a session that died; the next one removes it.",
            "cable": f"{now.output} is a virtual cable; choose {now.microphone} in the call program.",
        }[now.state]
    )


def run_demo(command: Command) -> None:
    from realtime.demo import run_demo
    from realtime.model_loader import load_model
    from realtime.model_process import ModelOrder
    from realtime.report import describe

    print("Streaming the bundled noisy sample at real-time pace.")
    with _progress_bar() as show:
        report = run_demo(ModelOrder(command.preset), load_model, command.output, show)
    print(f"{describe(report)}\nrestored.wav, before_after.png and report.txt are in {command.output}")


def run_screenshot(command: Command) -> None:
    from gui.screenshot import take_screenshot

    take_screenshot(command.picture, command.theme)


def run_frame_rate(command: Command) -> None:
    from gui.frame_rate import measure_frame_rate

    figures = asdict(measure_frame_rate(command.seconds))
    if command.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:20} {value:6.2f}")


def run_bench(command: Command) -> None:
    from realtime.bench import measure
    from realtime.bench_report import compare, plot_growth, to_json, to_table

    preset, model = _load(command)
    with _progress_bar() as show:
        report = measure(preset, model, show)
    plot_growth(report, RESULTS / "bench" / "growth.png")
    print(to_json(report) if command.json else to_table(report))
    if command.compare:
        print(compare(report, command.compare), file=sys.stderr if command.json else sys.stdout)


def run_latency(command: Command) -> None:
    import soundfile

    from realtime.demo import SAMPLE
    from realtime.latency import measure_latency

    latency = measure_latency(soundfile.read(SAMPLE, dtype="float32")[0], command.preset)
    if command.json:
        print(json.dumps(asdict(latency), indent=2))
        return
    parts = asdict(latency.announced) | {
        "announced_ms": latency.announced.total_ms,
        "measured_ms": latency.measured_ms,
    }
    for name, value in parts.items():
        print(f"{name:16} {value:6.1f}")


def run_soak(command: Command) -> None:
    import soundfile

    from realtime.demo import SAMPLE
    from realtime.soak import soak

    voice = soundfile.read(SAMPLE, dtype="float32")[0]
    with _progress_bar() as show:
        figures = asdict(soak(voice, command.minutes, command.preset, show))
    if command.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:20} {value:10.2f}" if isinstance(value, float) else f"{name:20} {value:7}")


def run_evaluate(command: Command) -> None:
    from model.bundle import Bundle, bundle_folder
    from model.evaluate import evaluate, evaluate_codec
    from model.resynthesis import make_resynthesizer
    from realtime.offline import restore_audio

    with _progress_bar() as show:
        settings = {"limit": command.limit, "progress": lambda done, total: show(done / total)}
        if command.codec is not None:
            codec = Bundle.load(bundle_folder(command.codec))
            report = evaluate_codec(command.folder, make_resynthesizer(codec), **settings)
        else:
            preset, model = _load(command)
            restorers = {
                "streamed": lambda audio: restore_audio(_stream(model, preset), audio),
                "whole file": lambda audio: model.restore(
                    audio,
                    passes=preset.passes_per_frame,
                    guidance=preset.guidance,
                    temperature=preset.temperature,
                ),
            }
            report = evaluate(command.folder, restorers, **settings)
    print(report.to_json() if command.json else report.to_table())


def run_curve(command: Command) -> None:
    from model.bundle import bundle_folder
    from model.curve import Line, order_lines, plot, sampling_lines, to_json, to_table
    from model.masksr import MaskSR

    preset, model = _load(command)
    lines = order_lines(model) if command.orders else sampling_lines()
    points = _measure_curve(command, preset, preset.bundle, model, lines)
    if command.beside is not None:
        other = MaskSR.load(bundle_folder(command.beside))
        line = Line(f"rolling, {Path(command.beside).name}", "rolling")
        points += _measure_curve(command, preset, command.beside, other, [line])
    plot(points, command.output / ("orders.png" if command.orders else "curve.png"))
    print(to_json(points) if command.json else to_table(points))


def _measure_curve(
    command: Command, preset: "Preset", bundle: str, model: "MaskSR", lines: "list[Line]"
) -> "list[Point]":
    from model.bundle import bundle_folder, fingerprint
    from model.curve import ScoreBook, measure_curve
    from realtime.offline import restore_audio

    command.output.mkdir(parents=True, exist_ok=True)
    weights = fingerprint(bundle_folder(bundle))
    with _progress_bar() as show:
        return measure_curve(
            command.folder,
            lines,
            lambda line, passes, audio: restore_audio(
                model.stream(
                    preset.plan,
                    sampling=line.sampling,
                    passes=passes,
                    guidance=line.guidance,
                    temperature=preset.temperature,
                    unmasking=line.unmasking,
                ),
                audio,
            ),
            ScoreBook(command.output / "scores.json", f"{weights} {preset.plan} {preset.temperature}"),
            limit=command.limit,
            progress=lambda done, total: show(done / total),
        )


def run_data_prepare(command: Command) -> None:
    from model.data import prepare

    with _progress_bar() as show:
        prepare(command.source, command.output, lambda done, total: show(done / total))


def run_train_codec(command: Command) -> None:
    from model.bundle import bundle_folder
    from model.train_codec import train

    start = None if command.start is None else bundle_folder(command.start)
    train(command.config, command.data, command.output, command.resume, _show_row, start)


def run_train_lm(command: Command) -> None:
    from model.bundle import bundle_folder
    from model.train_lm import train

    bundle, go_on = bundle_folder(command.start or command.codec), command.start is not None
    train(command.config, command.data, bundle, command.output, command.resume, _show_row, go_on)


def run_import_dac(command: Command) -> None:
    from model.official_codec import import_official_codec

    import_official_codec(command.weights, command.output)
    print(f"The codec is in {command.output}; `main.py train lm --codec {command.output}` is the next step.")


def _load(command: Command, **changes: object) -> "tuple[Preset, MaskSR]":
    """The preset the user chose, or the one that fits this machine, and its model."""
    from model.bundle import bundle_folder
    from model.masksr import MaskSR
    from model.training import device_and_dtype
    from presets.preset import load_preset

    fitting = "balanced" if device_and_dtype()[0].type == "cuda" else "cpu"
    preset = load_preset(command.preset or fitting, **changes)
    return preset, MaskSR.load(bundle_folder(preset.bundle))


def _stream(model: "MaskSR", preset: "Preset", seed: int = 0) -> "RestorerStream":
    return model.stream(preset.plan, **preset.stream_settings, seed=seed)


@contextmanager
def _progress_bar() -> Iterator[Callable[..., None]]:
    """Yields a function that takes the share done, 0 to 1, and what is being worked on."""
    from tqdm import tqdm

    with tqdm(total=100.0, bar_format="{desc}{percentage:3.0f}% |{bar}| {elapsed}<{remaining}") as bar:

        def show(share: float, what: str = "") -> None:
            bar.set_description(what, refresh=False)
            bar.update(100 * share - bar.n)

        yield show


def _tell_about(report: "FileReport") -> None:
    print(f"{report.target}: {report.seconds:.1f} s restored")
    if report.dry_hops:
        print(f"  {report.dry_hops} of {report.hops} hops left as they were: {report.last_error}")


def _print_json(status: "EngineStatus") -> None:
    print(json.dumps(asdict(status)), flush=True)


def _show_row(step: int, figures: dict[str, float]) -> None:
    print(f"step {step}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
