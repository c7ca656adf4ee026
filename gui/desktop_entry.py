"""The program's entry in the menus of Linux desktops, by freedesktop.org's Desktop Entry Specification."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from gui import text
from gui.icon import icon_path

FILE_NAME = "masksr-live.desktop"
RESERVED = "\"'\\<>~|&;$*?#()` \t\n"


def desktop_entry(command: Sequence[str]) -> str:
    """The text of a .desktop file that starts `command`."""
    return "\n".join(
        (
            "[Desktop Entry]",
            "Type=Application",
            f"Name={text.APP}",
            f"Comment={text.APP_SUMMARY}",
            f"Exec={' '.join(map(_quoted, command))}",
            "Icon=masksr-live",
            "Terminal=false",
            "Categories=AudioVideo;Audio;",
            f"StartupWMClass={text.APP}",
            "",
        )
    )


def add_to_menu(data_home: Path, command: Sequence[str]) -> None:
    """Let the desktop's menu start `command`, with the program's name and icon. Raises OSError."""
    entry, icon = _places(data_home)
    for place in (entry, icon):
        place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(icon_path(), icon)
    entry.write_text(desktop_entry(command), encoding="utf-8")


def remove_from_menu(data_home: Path) -> None:
    """Undo `add_to_menu`, if it was done. Raises OSError."""
    for place in _places(data_home):
        place.unlink(missing_ok=True)


def is_in_menu(data_home: Path) -> bool:
    return _places(data_home)[0].exists()


def _places(data_home: Path) -> tuple[Path, Path]:
    icons = data_home / "icons" / "hicolor" / "scalable" / "apps"
    return data_home / "applications" / FILE_NAME, icons / icon_path().name


def _quoted(argument: str) -> str:
    """`argument` as one word of an Exec line: quoted first, then escaped as every value of the file."""
    word = argument.replace("%", "%%")
    if not word or any(character in RESERVED for character in word):
        for character in '\\"`$':
            word = word.replace(character, f"\\{character}")
        word = f'"{word}"'
    return word.replace("\\", "\\\\")
