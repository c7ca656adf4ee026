"""The program's icon and its two variants for the tray."""

from pathlib import Path
from typing import Literal

from PyQt6.QtGui import QIcon

FOLDER = Path(__file__).parent / "icons"

IconName = Literal["masksr-live", "bypassed", "muted"]


def icon_path(name: IconName = "masksr-live") -> Path:
    return FOLDER / f"{name}.svg"


def icon(name: IconName = "masksr-live") -> QIcon:
    return QIcon(str(icon_path(name)))
