"""What the window remembers from one start to the next, in one JSON file in the platform's folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gui import text
from model.errors import MaskSRError

APP_FOLDER = "masksr-live"
MIGRATIONS: tuple[Callable[[dict[str, Any]], None], ...] = ()  # the first one changes version 1 to version 2
VERSION = 1 + len(MIGRATIONS)

ThemeChoice = Literal["system", "dark", "light"]


class SettingsError(MaskSRError):
    """The settings cannot be written."""


class Settings(BaseModel):
    """Everything the user chose. None leaves a choice to the program: the default device, the best preset."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    microphone: str | None = None
    output: str | None = None  # where the restored sound goes while there is no virtual microphone
    virtual_mic: bool = True
    monitor: str | None = None
    preset: str | None = None  # a name or a path
    preset_by_microphone: dict[str, str | None] = Field(default_factory=dict)
    passes: int | None = Field(default=None, ge=1, le=64)
    lookahead_frames: int | None = Field(default=None, ge=0, le=128)
    dry_wet: float = Field(default=1.0, ge=0.0, le=1.0)
    bypass: bool = False
    mute: bool = False
    theme: ThemeChoice = "system"
    close_to_tray: bool = False
    hotkey: str | None = None  # global, of the bypass, such as "Ctrl+Alt+B"
    geometry: str = ""  # of the window, as Qt saves it, in hexadecimal digits
    page: int = Field(default=0, ge=0)


class SettingsFile:
    """The settings in a file that programs of several versions may have written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[Settings, str | None]:
        """The settings, and a sentence about what was wrong with the file if it had to be set aside."""
        try:
            return _parse(self._path.read_text(encoding="utf-8")), None
        except FileNotFoundError:
            return Settings(), None
        except (OSError, ValueError) as error:
            return Settings(), self._set_aside(error)

    def save(self, settings: Settings) -> None:
        """Replace the file in one step. Raises SettingsError."""
        part = self._path.with_name(f".{self._path.name}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            content = {"version": VERSION} | settings.model_dump(mode="json")
            part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            part.replace(self._path)
        except OSError as error:
            raise SettingsError(text.SETTINGS_NOT_SAVED.format(path=self._path, error=error)) from error

    def _set_aside(self, error: Exception) -> str:
        aside = self._path.with_suffix(".damaged.json")
        try:
            self._path.replace(aside)
        except OSError:
            return text.SETTINGS_UNREADABLE.format(path=self._path, error=error)
        return text.SETTINGS_SET_ASIDE.format(path=aside, problem=_first_problem(error))


def settings_path() -> Path:
    """Where the settings of this user are."""
    return platformdirs.user_config_path(APP_FOLDER, appauthor=False) / "settings.json"


def presets_path() -> Path:
    """Where the presets of this user are."""
    return platformdirs.user_data_path(APP_FOLDER, appauthor=False) / "presets"


def _parse(content: str) -> Settings:
    """Raises ValueError, of which the errors of JSON and of pydantic are kinds."""
    fields = json.loads(content)
    version = fields.pop("version", None) if isinstance(fields, dict) else None
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise ValueError(text.SETTINGS_VERSION.format(version=version, newest=VERSION))
    for migrate in MIGRATIONS[version - 1 :]:
        migrate(fields)
    return Settings.model_validate(fields)


def _first_problem(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return str(error)
