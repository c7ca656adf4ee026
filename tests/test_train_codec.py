"""Codec training starts from a working codec, learns, can be interrupted, and leaves a usable bundle."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from model.bundle import SHIPPED, Bundle
from model.codec import Codec
from model.level import REFERENCE_RMS
from model.noise_filling import NoiseFilling
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.train_codec import CodecTrainer, CodecTrainingConfig, train
from model.training import TrainingError, read_log
from tests.codecs import banded_codec
from tests.recordings import prepared
from tests.voice import voice

CODEC = banded_codec(codebook_size=32)
CONFIG = CodecTrainingConfig(
    codec=CODEC,
    steps=6,
    batch=2,
    window_samples=8192,
    warmup_steps=2,
    critic_from_step=2,
    critic_windows_samples=[256],
    critic_periods=[2],
    critic_channels=2,
    mel_scales={512: 20},
    log_every_steps=1,
    checkpoint_every_steps=3,
)

IN_MORE_STEPS = CONFIG.model_copy(
    update={
        "codec": CODEC.model_copy(update={"decoder_rates": (2, 2, 32, 4), "decoder_dim": 512}),
        "critic_from_step": 1000,
    }
)


@dataclass(frozen=True)
class Runs:
    """A data set, a run to the end, and the folder of the same run as it was when killed in step 4."""

    data: Path
    finished: CodecTrainer
    killed: Path


@pytest.fixture(autouse=True)
def _eager() -> Iterator[None]:
    with torch.compiler.set_stance("force_eager"):  # compiling takes longer than training
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("codec")
    trainer = CodecTrainer(CONFIG, prepared(folder), folder / "run")

    def keep(step: int, row: dict[str, float]) -> None:
        if step == 4:
            shutil.copytree(folder / "run", folder / "killed")

    with torch.compiler.set_stance("force_eager"):
        trainer.train(keep)
    return Runs(folder / "data", trainer, folder / "killed")


@pytest.fixture(scope="module")
def start(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A codec in closed form, to go on from."""
    folder = tmp_path_factory.mktemp("start")
    config = IN_MORE_STEPS.model_copy(update={"steps": 0})
    CodecTrainer(config, runs.data, folder).train(lambda step, row: None)
    return Bundle.load(folder / "bundle")


def codec_of(run: Path) -> Codec:
    return Bundle.load(run / "bundle").build_codec(torch.device("cpu"), torch.float32)


def test_a_run_leaves_figures_a_plot_and_samples(runs: Runs) -> None:
    folder = runs.finished.run
    rows = list(read_log(folder))
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert {"mel", "spectral", "commitment"} <= rows[0].keys()
    assert "adversarial" not in rows[1]
    assert {"critic", "adversarial", "feature"} <= rows[2].keys()
    assert (folder / "losses.png").exists()
    info = soundfile.info(folder / "sample.flac")
    assert info.samplerate == SAMPLE_RATE_HZ
    assert info.frames == 4 * 2 * (2 * SAMPLE_RATE_HZ // FRAME_SAMPLES * FRAME_SAMPLES)


def test_the_bundle_of_a_run_speaks(runs: Runs) -> None:
    """Its tokens bring back what so small a codec covers: the lowest bands."""
    low_pass = scipy.signal.butter(6, 1300.0, fs=SAMPLE_RATE_HZ, output="sos")
    speech = scipy.signal.sosfilt(low_pass, voice(1.5)).astype(np.float32)[: 128 * FRAME_SAMPLES]
    codec = codec_of(runs.finished.run)
    output = codec.decode(codec.encode(torch.from_numpy(speech)[None]))[0].numpy()
    assert np.corrcoef(speech, output)[0, 1] > 0.4


def test_what_the_tokens_do_not_carry_becomes_noise_as_loud(runs: Runs, tmp_path: Path) -> None:
    shape = {
        "encoder_rates": (4, 128),
        "decoder_rates": (2, 2, 32, 4),
        "decoder_dim": 512,
        "codebook_dim": 12,
    }
    codec = CODEC.model_copy(update=shape)
    config = CONFIG.model_copy(update={"steps": 0, "codec": codec, "start_windows": 64, "noise_regions": 4})
    CodecTrainer(config, runs.data, tmp_path).train(lambda step, row: None)
    speech = torch.from_numpy(voice(3.0)[: 256 * FRAME_SAMPLES])[None]
    speech *= REFERENCE_RMS / speech.square().mean().sqrt()
    trained, filling = codec_of(tmp_path), NoiseFilling(carried=28, regions=4)
    output = trained.decode(trained.encode(speech))
    wanted, given = (filling.not_carried(sound).mean((0, 1)).log10() * 10 for sound in (speech, output))
    np.testing.assert_allclose(given, wanted, atol=9.0)  # silence would be 60 dB off


def test_a_decoder_too_narrow_for_the_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="decoder_dim"):
        CodecTrainingConfig(**(CONFIG.model_dump() | {"noise_regions": 4}))


def test_a_decoder_learns_while_the_tokens_stay(runs: Runs, start: Bundle, tmp_path: Path) -> None:
    stage = {"freeze_tokens": True, "decoder_units": (1,), "search_width": 2, "average_decay": 0.0}
    trainer = CodecTrainer(IN_MORE_STEPS.model_copy(update=stage), runs.data, tmp_path, start)
    trainer.train(lambda step, row: None)
    after = Bundle.load(tmp_path / "bundle").codec
    moved = {name for name, before in start.codec.items() if not torch.equal(before.half(), after[name])}
    bank = "decoder.model.3.block.1.weight_g"  # the treble of which is matched in the end
    assert all(name.startswith(("decoder.model.0", "decoder.model.1.block", bank)) for name in moved)
    assert any(name.startswith("decoder.model.1.block.2") for name in moved)
    assert not any(name.startswith("decoder.model.1.block.3") for name in moved)


def test_encoder_and_codebooks_learn_where_they_may(runs: Runs, start: Bundle, tmp_path: Path) -> None:
    stage = {"encoder_units": (1,), "decoder_units": (0,), "search_width": 2, "average_decay": 0.0}
    trainer = CodecTrainer(IN_MORE_STEPS.model_copy(update=stage), runs.data, tmp_path, start)
    trainer.train(lambda step, row: None)
    after = Bundle.load(tmp_path / "bundle")
    moved = {name for name, weight in start.codec.items() if not torch.equal(weight, after.codec[name])}
    encoder = {name for name in moved if name.startswith("encoder.")}
    assert all(name.startswith(("encoder.block.3", "encoder.block.4", "encoder.block.5")) for name in encoder)
    assert any(name.startswith("encoder.block.3.block.0.") for name in encoder)
    assert not any(
        name.startswith(("encoder.block.3.block.1.", "encoder.block.3.block.2.")) for name in encoder
    )
    entries = {f"quantizer.quantizers.{place}.codebook.weight" for place in range(CODEC.n_codebooks)}
    assert {name for name in moved if name.startswith("quantizer.")} == entries
    assert after.config.search_width == 2


def test_a_decoder_learns_what_a_recogniser_and_a_listener_would_hear(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Bundle.load(SHIPPED / "compact")
    shape = {"codec": start.config.codec, "critic_from_step": 1000, "window_samples": 32768, "batch": 1}
    stage = {"freeze_tokens": True, "decoder_units": (1,), "steps": 12, "checkpoint_every_steps": 12}
    lessons = {"spectral_weight": 0.0, "mel_weight": 0.0, "word_weight": 1.0, "opinion_weight": 1.0}
    config = CONFIG.model_copy(update=shape | stage | lessons | {"learning_rate": 5e-4})
    trainer = CodecTrainer(config, runs.data, tmp_path, start)
    batch = trainer._batch()
    monkeypatch.setattr(trainer, "_batch", lambda: batch)
    trainer.train(lambda step, row: None)
    rows = list(read_log(tmp_path))
    assert rows[-1]["words"] < 0.9 * rows[0]["words"]
    assert rows[-1]["opinion"] < 0.9 * rows[0]["opinion"]


def test_a_decoder_without_a_codec_to_start_from_is_refused(tmp_path: Path) -> None:
    config = Path(__file__).parents[1] / "model" / "configs" / "codec_compact_decoder.toml"
    with pytest.raises(TrainingError, match="name the bundle"):
        train(config, tmp_path, tmp_path / "run", False, lambda step, row: None)


def test_training_moves_every_weight_that_it_should(runs: Runs) -> None:
    still = [
        name
        for name, before in Bundle.load(runs.killed / "bundle").codec.items()
        if torch.equal(before, runs.finished.average.state[name])
    ]
    projections = {name for name in still if "_proj." in name}  # codebooks stay in the subspaces they lie in
    assert set(still) == projections


def test_a_killed_run_goes_on_as_if_nothing_had_happened(runs: Runs) -> None:
    resumed = CodecTrainer(CONFIG, runs.data, runs.killed)
    resumed.resume()
    assert resumed.step == 3
    rows: dict[int, dict[str, float]] = {}
    resumed.train(rows.__setitem__)
    expected = {int(row["step"]): row for row in read_log(runs.finished.run)}
    assert list(rows) == [4, 5, 6]
    for step, row in rows.items():
        figures = {name: value for name, value in row.items() if name != "audio_s_per_s"}
        assert figures == pytest.approx({name: expected[step][name] for name in figures}, rel=2e-3, abs=2e-4)
    for name, value in runs.finished.dac.state_dict().items():
        torch.testing.assert_close(resumed.dac.state_dict()[name], value, rtol=1e-3, atol=1e-4)
