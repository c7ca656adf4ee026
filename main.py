"""MaskSR Live: the command line. The commands themselves are in the `commands.py` of each layer."""

import argparse
import sys

from gui import commands as window
from model import commands as weights
from model.errors import MaskSRError
from realtime import commands as sound
from realtime import measure_commands as measurements
from realtime import quality_commands as quality


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
    parser.set_defaults(run=window.run_window)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for layer in (sound, window, measurements, quality, weights):
        layer.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
