"""Presets of one's own are kept, renamed, deleted and passed on, and the shipped ones stay as they are."""

from pathlib import Path

import pytest

from presets.library import PresetLibrary
from presets.preset import PresetError, load_preset, preset_names


@pytest.fixture
def library(tmp_path: Path) -> PresetLibrary:
    return PresetLibrary(tmp_path / "own")


def titles(library: PresetLibrary) -> list[str]:
    return [entry.preset.title for entry in library.shelf().entries if entry.is_own]


def test_the_shipped_presets_are_there_at_the_first_start(library: PresetLibrary) -> None:
    assert [entry.choice for entry in library.shelf().entries] == preset_names()


def test_a_saved_preset_is_the_same_under_its_own_title(library: PresetLibrary) -> None:
    call = load_preset("call", passes=3)
    choice = library.save(call, ' Kitchen: "noon"\\ ')
    kept = load_preset(choice)
    assert kept.title == 'Kitchen: "noon"\\'
    assert (kept.plan, kept.sampling) == (call.plan, call.sampling)
    assert titles(library) == [kept.title]


def test_a_name_is_taken_once(library: PresetLibrary) -> None:
    call = load_preset("call")
    choice = library.save(call, "Kitchen")
    with pytest.raises(PresetError, match="'Kitchen' already; choose another name"):
        library.save(call, "Kitchen ")
    with pytest.raises(PresetError, match="needs a name"):
        library.rename(choice, " ")
    assert titles(library) == ["Kitchen"]


def test_renamed_and_deleted(library: PresetLibrary) -> None:
    choice = library.rename(library.save(load_preset("call"), "Kitchen"), "Bath")
    assert titles(library) == ["Bath"]
    library.delete(choice)
    assert titles(library) == []
    with pytest.raises(PresetError, match="not there any more"):
        library.delete(choice)


def test_shipped_presets_cannot_be_changed(library: PresetLibrary) -> None:
    for change in (library.delete, lambda choice: library.rename(choice, "Mine")):
        with pytest.raises(PresetError, match="comes with the program"):
            change("call")
    assert load_preset("call")


def test_an_exported_preset_can_be_added_elsewhere(library: PresetLibrary, tmp_path: Path) -> None:
    library.export("studio", tmp_path / "for a friend.toml")
    choice = PresetLibrary(tmp_path / "friend").add(tmp_path / "for a friend.toml")
    assert load_preset(choice).plan == load_preset("studio").plan
    with pytest.raises(PresetError, match="check the place"):
        library.export("studio", Path("/dev/null/preset.toml"))


def test_a_damaged_file_costs_nothing_but_itself(library: PresetLibrary, tmp_path: Path) -> None:
    library.save(load_preset("call"), "Kitchen")
    (tmp_path / "own" / "bad.toml").write_text("passes = ")
    shelf = library.shelf()
    assert len(shelf.entries) == len(preset_names()) + 1
    assert len(shelf.problems) == 1 and "bad.toml cannot be read" in shelf.problems[0]
