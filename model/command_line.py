"""What the commands of all layers share. Nothing here waits for a heavy package: `--help` is quick."""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

RUNS, RESULTS = Path("runs"), Path("results")  # where commands leave what they make, unless told otherwise
Command = argparse.Namespace
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(
    commands: Commands, name: str, run: Callable[[Command], None], summary: str
) -> argparse.ArgumentParser:
    """Add a command; `run` gets what the user typed and raises MaskSRError or OSError."""
    parser = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
    parser.set_defaults(run=run)
    return parser


def add_group(commands: Commands, name: str, summary: str) -> Commands:
    """Add a command that has commands of its own."""
    return commands.add_parser(name, help=summary).add_subparsers(required=True)


def add_preset_option(parser: argparse.ArgumentParser) -> None:
    text = "call, balanced, studio, cpu or a .toml file (default: balanced with a graphics card, else cpu)"
    parser.add_argument("--preset", metavar="P", help=text)


def add_json_option(parser: argparse.ArgumentParser, text: str = "print JSON") -> None:
    parser.add_argument("--json", action="store_true", help=text)


def print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


@contextmanager
def progress_bar() -> Iterator[Callable[..., None]]:
    """Yields a function that takes the share done, 0 to 1, and what is being worked on."""
    from tqdm import tqdm

    with tqdm(total=100.0, bar_format="{desc}{percentage:3.0f}% |{bar}| {elapsed}<{remaining}") as bar:

        def show(share: float, what: str = "") -> None:
            bar.set_description(what, refresh=False)
            bar.update(100 * share - bar.n)

        yield show
