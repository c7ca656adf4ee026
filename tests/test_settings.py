"""Choices survive from one start to the next, whatever happened to the file in between."""

import json
from pathlib import Path
from typing import Any

import pytest

from gui import settings as module
from gui.settings import Settings, SettingsError, SettingsFile, presets_path, settings_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def test_the_first_start_leaves_every_choice_to_the_program(path: Path) -> None:
    settings, problem = SettingsFile(path).load()
    assert problem is None
    assert (settings.microphone, settings.preset, settings.virtual_mic) == (None, None, True)


def test_choices_are_remembered(path: Path) -> None:
    chosen = Settings(microphone="usb", preset_by_microphone={"usb": "call"}, dry_wet=0.5, theme="light")
    SettingsFile(path).save(Settings())
    SettingsFile(path).save(chosen)
    assert SettingsFile(path).load() == (chosen, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "version None is not one of 1 to 1"),
        ('{"version": 99}', "version 99"),
        ('{"version": 1, "dry_wet": 2.0}', "dry_wet: Input should be less than or equal to 1"),
        ('{"version": 1, "colour": "red"}', "colour: Extra inputs are not permitted"),
        (b"\xff\xfe", "utf-8"),
    ],
)
def test_a_damaged_file_is_set_aside_and_reported(path: Path, content: str | bytes, problem: str) -> None:
    path.parent.mkdir()
    damaged = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(damaged)
    settings, report = SettingsFile(path).load()
    assert settings == Settings()
    assert report is not None and problem in report and "settings.damaged.json" in report
    assert path.with_name("settings.damaged.json").read_bytes() == damaged
    assert SettingsFile(path).load() == (Settings(), None)


def test_an_older_file_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename_mix(fields: dict[str, Any]) -> None:
        fields["dry_wet"] = fields.pop("mix")

    monkeypatch.setattr(module, "MIGRATIONS", (rename_mix,))
    monkeypatch.setattr(module, "VERSION", 2)
    path.parent.mkdir()
    path.write_text('{"version": 1, "mix": 0.25}')
    settings, problem = SettingsFile(path).load()
    assert (settings.dry_wet, problem) == (0.25, None)
    SettingsFile(path).save(settings)
    assert json.loads(path.read_text())["version"] == 2


def test_a_place_that_cannot_be_written_is_reported() -> None:
    with pytest.raises(SettingsError, match="see to the place"):
        SettingsFile(Path("/dev/null/settings.json")).save(Settings())


def test_the_platform_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert settings_path() == tmp_path / "config" / "masksr-live" / "settings.json"
    assert presets_path() == tmp_path / "data" / "masksr-live" / "presets"
