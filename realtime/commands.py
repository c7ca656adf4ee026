"""The commands that restore sound: files and live, with its devices and its virtual microphone."""

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from model.command_line import (
    RESULTS,
    Command,
    Commands,
    add_command,
    add_group,
    add_json_option,
    add_preset_option,
    print_json,
    progress_bar,
)
from model.errors import MaskSRError

if TYPE_CHECKING:
    from realtime.files import FileReport
    from realtime.messages import EngineStatus

DEMO = RESULTS / "demo"


def add_commands(commands: Commands) -> None:
    _add_restore(commands)
    _add_live(commands)
    status = add_command(
        commands, "status", run_status, "tell how a live session is doing that `live` started"
    )
    add_json_option(status)
    doctor = add_command(commands, "doctor", run_doctor, "check what live sessions need and say what to do")
    add_json_option(doctor)
    add_preset_option(doctor)
    add_json_option(add_command(commands, "devices", run_devices, "list microphones and speakers"))
    _add_virtual_mic(add_group(commands, "virtual-mic", "keep a microphone for other programs"))
    demo = add_command(commands, "demo", run_demo, "stream the bundled noisy sample and keep the result")
    demo.add_argument("--output", type=Path, default=DEMO, metavar="FOLDER", help="default: %(default)s")
    add_preset_option(demo)


def _add_restore(commands: Commands) -> None:
    restore = add_command(commands, "restore", run_restore, "restore an audio file, or every one in a folder")
    restore.add_argument("input", type=Path, metavar="IN", help="file or folder")
    restore.add_argument("output", type=Path, metavar="OUT", help="file, or folder (files in it are kept)")
    add_preset_option(restore)
    restore.add_argument("--passes", type=int, metavar="N", help="sampling passes (default: the preset's)")
    restore.add_argument("--seed", type=int, default=0, metavar="S", help="equal seeds give equal results")
    restore.add_argument(
        "--reference", action="store_true", help="compute in plain float32, slowly, to compare with"
    )


def _add_live(commands: Commands) -> None:
    live = add_command(commands, "live", run_live, "restore the microphone until Ctrl-C")
    live.epilog = (
        "Ends with 0 after Ctrl-C, SIGTERM or the end of its terminal, with 1 after an error,"
        " with 2 after wrong usage."
    )
    live.add_argument("--input", metavar="NAME", help="microphone, by number or part of its name")
    outputs = live.add_mutually_exclusive_group()
    outputs.add_argument("--output", metavar="NAME", help="speaker, by number or part of its name")
    outputs.add_argument("--virtual-mic", action="store_true", help="be a microphone for other programs")
    live.add_argument("--monitor", metavar="NAME", help="listen on this device as well")
    live.add_argument("--record", type=Path, metavar="DIR", help="keep both signals as files in this folder")
    add_json_option(live, "print a line of JSON every second")
    add_preset_option(live)


def _add_virtual_mic(actions: Commands) -> None:
    on = add_command(actions, "on", run_virtual_mic_on, "make a virtual microphone that stays")
    on.add_argument(
        "--idle",
        choices=["silence", "dry"],
        default="silence",
        help="what it gives while nothing is restored (default: %(default)s)",
    )
    on.add_argument("--input", metavar="NAME", help="microphone of the dry signal")
    off = add_command(actions, "off", run_virtual_mic_off, "remove the virtual microphone")
    status = add_command(
        actions, "status", run_virtual_mic_status, "tell whether there is a virtual microphone"
    )
    for action in (on, off, status):
        add_json_option(action)


def run_restore(command: Command) -> None:
    from realtime.graphics_card import with_or_without

    with_or_without(lambda on_cpu: _restore(command, on_cpu))


def _restore(command: Command, on_cpu: bool) -> None:
    from realtime.files import restore_file, restore_folder
    from realtime.model_loader import load_with_preset

    changes = {} if command.passes is None else {"passes": command.passes}
    preset, model = load_with_preset(command.preset, on_cpu=on_cpu, reference=command.reference, **changes)
    with progress_bar() as show:
        arguments = (
            command.input,
            command.output,
            lambda: model.stream(preset.plan, **preset.stream_settings, seed=command.seed),
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


def _tell_about(report: "FileReport") -> None:
    print(f"{report.target}: {report.seconds:.1f} s restored")
    if report.dry_hops:
        print(f"  {report.dry_hops} of {report.hops} hops left as they were: {report.last_error}")


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
        _print_line(run_headless(settings, lambda status, tap: _print_line(status), 1.0, command.record))
        return
    print("Restoring. Ctrl-C ends.", flush=True)
    width = shutil.get_terminal_size().columns - 1
    report = run_headless(
        settings,
        lambda status, tap: print(f"\r{status_line(status, tap):{width}.{width}}", end="", flush=True),
        record=command.record,
    ).report
    print("" if report is None else f"\n{describe(report)}")


def _print_line(status: "EngineStatus") -> None:
    print(json.dumps(asdict(status)), flush=True)


def run_status(command: Command) -> None:
    from realtime.session_file import read_session

    session = read_session()
    if command.json:
        print_json(session or {"state": "stopped"})
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
        print_json([asdict(finding) for finding in findings])
    failed = [finding.name for finding in findings if not finding.ok]
    if failed:
        raise MaskSRError(f"Not in order: {', '.join(failed)}; do what is said there.")


def run_devices(command: Command) -> None:
    from realtime.devices import list_devices

    devices = list_devices()
    if command.json:
        print_json([asdict(device) for device in devices])
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
        print_json(asdict(now))
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
    play_demo(command.preset, command.output)


def play_demo(preset: str | None = None, output: Path = DEMO) -> None:
    """The demo, which is also what runs where there is no screen."""
    from realtime.demo import run_demo
    from realtime.model_loader import load_model
    from realtime.model_process import ModelOrder
    from realtime.report import describe

    print("Streaming the bundled noisy sample at real-time pace.")
    with progress_bar() as show:
        report = run_demo(ModelOrder(preset), load_model, output, show)
    print(f"{describe(report)}\nrestored.wav, before_after.png and report.txt are in {output}")
