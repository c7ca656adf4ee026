"""The desktop's own parser reads the entry, and starts just the command that was meant."""

import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from gui.desktop_entry import add_to_menu, desktop_entry, is_in_menu, remove_from_menu

COMMANDS = [
    ["/usr/bin/python3", "/opt/masksr/main.py"],
    ['/home/a b/it\'s "here"/python', "100 %", "$HOME `x` \\y", ""],
]


def parsed(entry: str) -> RawConfigParser:
    parser = RawConfigParser(strict=True, interpolation=None)
    parser.read_string(entry)
    return parser


def words_of(line: str) -> list[str]:
    """An Exec line read as the specification says: unescape the value, then the quoted words, then %%."""
    value, words, word, quoted = line.replace("\\\\", "\\"), [], "", False
    characters = iter(value + " ")
    seen = False
    for character in characters:
        if character == '"':
            quoted, seen = not quoted, True
        elif character == "\\" and quoted:
            word += next(characters)
        elif character == " " and not quoted:
            if word or seen:
                words.append(word)
            word, seen = "", False
        else:
            word += character
    return [word.replace("%%", "%") for word in words]


@pytest.mark.parametrize("command", COMMANDS, ids=["plain", "with every special sign"])
def test_it_starts_just_the_command(command: list[str]) -> None:
    entry = parsed(desktop_entry(command))["Desktop Entry"]
    assert words_of(entry["Exec"]) == command
    assert entry["Type"] == "Application" and entry["Icon"] == "masksr-live"


def test_it_comes_to_the_menu_with_its_icon_and_goes_without_a_trace(tmp_path: Path) -> None:
    assert not is_in_menu(tmp_path)
    add_to_menu(tmp_path, [sys.executable])
    assert is_in_menu(tmp_path)
    icon = tmp_path / "icons" / "hicolor" / "scalable" / "apps" / "masksr-live.svg"
    assert icon.read_text(encoding="utf-8").startswith("<svg")
    remove_from_menu(tmp_path)
    remove_from_menu(tmp_path)
    assert not is_in_menu(tmp_path) and not [path for path in tmp_path.rglob("*") if path.is_file()]
