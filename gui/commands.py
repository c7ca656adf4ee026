"""The commands that show the window, and the window itself, which needs no command."""

import os
import sys
from dataclasses import asdict
from pathlib import Path

from model.command_line import Command, Commands, add_command, add_json_option, print_json
from realtime.commands import play_demo
from realtime.processes import end_past_stuck_threads


def add_commands(commands: Commands) -> None:
    screenshot = add_command(
        commands, "screenshot", run_screenshot, "picture the window at work, without a screen"
    )
    screenshot.add_argument("picture", type=Path, metavar="FILE", help="the PNG to write")
    screenshot.add_argument("--theme", choices=["dark", "light"], default="dark", help="default: %(default)s")
    frame_rate = add_command(
        commands, "frame-rate", run_frame_rate, "measure the start and the drawing of the window"
    )
    frame_rate.add_argument("--seconds", type=float, default=10.0, metavar="S", help="default: %(default)s")
    add_json_option(frame_rate)


def run_window(command: Command) -> None:
    """What runs without a command: the window, or the demo where there is no screen."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        print("There is no screen. Playing the demo instead.")
        play_demo()
    else:
        from gui.language import choose_language

        choose_language()
        from gui.app import run

        run()
        end_past_stuck_threads()


def run_screenshot(command: Command) -> None:
    from gui.screenshot import take_screenshot

    take_screenshot(command.picture, command.theme)


def run_frame_rate(command: Command) -> None:
    from gui.frame_rate import measure_frame_rate

    figures = asdict(measure_frame_rate(command.seconds))
    if command.json:
        print_json(figures)
        return
    for name, value in figures.items():
        print(f"{name:20} {value:6.2f}")
