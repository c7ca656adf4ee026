"""Presets that ship load; presets that are wrong say which key and what it may hold."""

from pathlib import Path

import pytest

from model.plan import SAMPLE_RATE_HZ
from presets.preset import PresetError, load_preset, preset_names

VALID = """
title = "Mine"
description = "A preset of my own."
context_frames = 48
hop_frames = 16
lookahead_frames = 10
fade_ms = 20.0
passes = 2
guidance = 0.0
temperature = 1.0
"""


def write_preset(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_the_four_presets_ship() -> None:
    assert preset_names() == ["balanced", "call", "cpu", "studio"]


@pytest.mark.parametrize("name", preset_names())
def test_shipped_preset_is_valid(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert preset.plan.fade_samples / 44.1 == pytest.approx(preset.fade_ms, abs=0.03)


def test_a_call_is_delayed_by_a_fifth_of_a_second_at_most_however_fast_the_machine() -> None:
    assert load_preset("call").plan.latency_samples / SAMPLE_RATE_HZ <= 0.2


@pytest.mark.parametrize("name", preset_names())
def test_hops_of_a_shipped_preset_share_their_passes(name: str) -> None:
    rolling = load_preset(name)
    assert rolling.sampling == "rolling"
    assert rolling.passes_per_frame >= 2 * rolling.passes
    restarting = load_preset(name, sampling="restarting")
    assert restarting.passes_per_frame == restarting.passes


def test_own_preset_loads_by_path_and_is_named_for_its_file(tmp_path: Path) -> None:
    preset = load_preset(write_preset(tmp_path, VALID))
    assert (preset.name, preset.bundle, preset.passes) == ("mine", "compact", 2)
    assert preset.plan.window_samples == (48 + 16 + 10) * 512


def test_fade_as_long_as_the_lookahead_fits(tmp_path: Path) -> None:
    text = VALID.replace("lookahead_frames = 10", "lookahead_frames = 1").replace("20.0", "11.6")
    assert load_preset(write_preset(tmp_path, text)).plan.fade_samples <= 512


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("passes = 2", "passes = 0", "'passes' must be an integer from 1 to 64, and is 0"),
        ("passes = 2", "passes = '2'", "'passes' must be an integer from 1 to 64, and is '2'"),
        ("passes = 2", "passes = 2.5", "'passes' must be an integer from 1 to 64, and is 2.5"),
        ("passes = 2", "", "the key 'passes' is missing; it must be an integer from 1 to 64"),
        ("passes", "steps", "the key 'passes' is missing"),
        ("fade_ms = 20.0", "fade_ms = nan", "'fade_ms' must be a number from 0.0 to 100.0, and is nan"),
        ("fade_ms = 20.0", "fade_ms = 99.0\nloud = true", "unknown key 'loud'; the keys are name, title"),
        ("lookahead_frames = 10", "lookahead_frames = 1", "'fade_ms' must be at most 11.6"),
        ("passes = 2", "sampling = 'rol'", "'sampling' must be rolling or restarting, and is 'rol'"),
        ('title = "Mine"', "title = ''", "'title' must be a text that is not empty, and is ''"),
        ("passes = 2", "passes 2", "cannot be read"),
    ],
)
def test_wrong_preset_names_the_key_and_the_allowed_values(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    path = write_preset(tmp_path, VALID.replace(old, new))
    with pytest.raises(PresetError) as caught:
        load_preset(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_changes_replace_what_the_file_says_and_are_checked_as_it_is() -> None:
    assert load_preset("cpu", passes=3) == load_preset("cpu").model_copy(update={"passes": 3})
    with pytest.raises(PresetError, match="'passes' must be an integer from 1 to 64, and is 65"):
        load_preset("cpu", passes=65)


def test_unknown_name_lists_the_presets() -> None:
    with pytest.raises(PresetError, match="choose one of balanced, call, cpu, studio"):
        load_preset("loud")


def test_folder_in_place_of_a_preset_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    with pytest.raises(PresetError, match="cannot be read"):
        load_preset(tmp_path / "mine.toml")
