"""An evaluation reads a folder of pairs, judges every system per condition and prints it."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.errors import AudioFileError, DataError
from model.evaluate import ALL_SPEECH, CLEAN_TARGET, UNPROCESSED, Report, Row, evaluate, evaluate_codec
from model.judges import Estoi, Judge, SpectralDistance
from model.plan import SAMPLE_RATE_HZ
from tests.voice import Audio, voice

INDEX = """name,condition,detail
noise_00,noise,snr 3 dB
lowband_00,lowband,4000 Hz
noiseonly_00,noiseonly,
noise_01,noise,snr 3 dB
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "index.csv").write_text(INDEX)
    rng = np.random.default_rng(0)
    for seed, name in enumerate(("noise_00", "noise_01", "lowband_00", "noiseonly_00")):
        speech = voice(1.5, seed=seed)
        noise = 0.05 * rng.standard_normal(len(speech)).astype(np.float32)
        clean = np.zeros_like(speech) if name.startswith("noiseonly") else speech
        noisy = lowpassed(speech) if name.startswith("lowband") else clean + noise
        soundfile.write(folder / f"{name}_clean.flac", clean, SAMPLE_RATE_HZ)
        soundfile.write(folder / f"{name}_noisy.flac", noisy, SAMPLE_RATE_HZ)
    return folder


@pytest.fixture(scope="module")
def light_judges() -> list[Judge]:
    """The two judges that load nothing large."""
    pytest.importorskip("pystoi")
    return [Estoi(), SpectralDistance()]


def lowpassed(audio: Audio) -> Audio:
    spectrum = np.fft.rfft(audio)
    spectrum[4000 * len(audio) // SAMPLE_RATE_HZ :] = 0
    return np.fft.irfft(spectrum, len(audio)).astype(np.float32)


def halve(audio: Audio) -> Audio:
    return 0.5 * audio


def row(report: Report, condition: str, system: str) -> Row:
    return next(row for row in report.rows if (row.condition, row.system) == (condition, system))


def test_every_condition_and_system_has_a_row_and_the_mean_comes_last(
    folder: Path, light_judges: list[Judge]
) -> None:
    report = evaluate(folder, {"streamed": halve, "whole": np.copy}, judges=light_judges)
    systems = [UNPROCESSED, "streamed", "whole", CLEAN_TARGET]
    conditions = ["noise", "lowband", "noiseonly", ALL_SPEECH]
    assert [(row.condition, row.system) for row in report.rows] == [
        (c, s) for c in conditions for s in systems
    ]
    assert row(report, "noise", "whole").items == 2
    assert row(report, ALL_SPEECH, "whole").items == 3


def test_scores_tell_the_clean_target_from_the_noisy_recording(
    folder: Path, light_judges: list[Judge]
) -> None:
    report = evaluate(folder, {"whole": np.copy}, judges=light_judges)
    target, noisy, whole = (
        row(report, "noise", name).scores for name in (CLEAN_TARGET, UNPROCESSED, "whole")
    )
    assert target["ESTOI"] == pytest.approx(1.0, abs=1e-3) and target["LSD"] == 0.0
    assert noisy["ESTOI"] < 0.95 and noisy["LSD"] > 0.1
    assert {column: whole[column] for column in noisy} == pytest.approx(noisy, abs=1e-6)
    assert whole["RTF"] > 0.0 and "RTF" not in noisy


def test_silence_is_judged_by_level_and_lost_bandwidth_by_treble(
    folder: Path, light_judges: list[Judge]
) -> None:
    report = evaluate(folder, {"streamed": halve}, judges=light_judges)
    noise = row(report, "noiseonly", "streamed").scores
    assert noise["level dB"] == pytest.approx(-6.02, abs=0.01) and "ESTOI" not in noise
    assert row(report, "lowband", UNPROCESSED).scores["treble dB"] < -20.0
    assert row(report, "lowband", CLEAN_TARGET).scores["treble dB"] == pytest.approx(0.0)
    assert "treble dB" not in row(report, "noise", UNPROCESSED).scores


def test_the_mean_of_speech_is_over_items(folder: Path, light_judges: list[Judge]) -> None:
    report = evaluate(folder, {}, judges=light_judges)
    noise, lowband, speech = (row(report, c, UNPROCESSED).scores for c in ("noise", "lowband", ALL_SPEECH))
    assert speech["LSD"] == pytest.approx((2 * noise["LSD"] + lowband["LSD"]) / 3)


def test_limit_caps_each_condition_and_progress_counts_items(folder: Path, light_judges: list[Judge]) -> None:
    steps: list[tuple[int, int]] = []
    report = evaluate(
        folder, {}, limit=1, progress=lambda done, total: steps.append((done, total)), judges=light_judges
    )
    assert row(report, "noise", UNPROCESSED).items == 1
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_the_codec_is_judged_on_clean_speech_alone(folder: Path, light_judges: list[Judge]) -> None:
    report = evaluate_codec(folder, {"codec": halve}, judges=light_judges)
    assert {row.condition for row in report.rows} == {"noise", "lowband", ALL_SPEECH}
    assert [row.system for row in report.rows[:2]] == [UNPROCESSED, "codec"]
    assert row(report, ALL_SPEECH, UNPROCESSED).scores["ESTOI"] == pytest.approx(1.0, abs=1e-3)


def test_the_table_is_aligned_and_shows_absent_scores_and_notes() -> None:
    rows = (Row("noise", "streamed", 8, {"OVRL": 2.345}), Row(ALL_SPEECH, "whole", 12, {"LSD": 10.0}))
    *table, note = Report(rows, ("PESQ needs pesq",)).to_table().splitlines()
    assert len({len(line) for line in table}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    first = dict(zip(cells[0], cells[2], strict=True))
    assert (first["condition"], first["system"], first["OVRL"], first["LSD"]) == (
        "noise",
        "streamed",
        "2.35",
        "-",
    )
    assert note == "PESQ needs pesq"


def test_json_holds_the_same_figures() -> None:
    report = Report((Row("noise", "whole", 3, {"ESTOI": 0.5}),), ("a note",))
    assert json.loads(report.to_json()) == {
        "rows": [{"condition": "noise", "system": "whole", "items": 3, "scores": {"ESTOI": 0.5}}],
        "notes": ["a note"],
    }


@pytest.mark.parametrize("index", [None, "", "name,condition,detail\n", "file,kind\na,b\n"])
def test_a_folder_that_is_no_evaluation_set_is_refused(tmp_path: Path, index: str | None) -> None:
    if index is not None:
        (tmp_path / "index.csv").write_text(index)
    with pytest.raises(DataError, match=r"index\.csv"):
        evaluate(tmp_path, {}, judges=[])


@pytest.mark.parametrize("content", [None, b"", b"fLaC and then nothing"])
def test_an_unreadable_recording_is_named(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "index.csv").write_text("name,condition,detail\nlost,noise,\n")
    if content is not None:
        (tmp_path / "lost_clean.flac").write_bytes(content)
    with pytest.raises(AudioFileError, match=r"lost_clean\.flac"):
        evaluate(tmp_path, {}, judges=[])


def test_a_recording_at_another_rate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("name,condition,detail\nphone,noise,\n")
    soundfile.write(tmp_path / "phone_clean.flac", voice(0.5), 8000)
    with pytest.raises(AudioFileError, match="44100"):
        evaluate(tmp_path, {}, judges=[])


def test_a_restorer_that_changes_the_length_is_an_error(folder: Path) -> None:
    with pytest.raises(ValueError, match="streamed returned"):
        evaluate(folder, {"streamed": lambda audio: audio[:-1]}, judges=[])
