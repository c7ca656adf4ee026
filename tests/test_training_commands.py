"""From a folder of recordings to a restored file, with nothing but commands."""

import json
from pathlib import Path

import pytest
import soundfile

from main import main
from tests.conftest import PRESET
from tests.signals import noise
from tests.voice import voice

CODEC = """
steps = {steps}
batch = 2
critic_from_step = 1
critic_channels = 4
critic_periods = [2]
log_every_steps = 1
checkpoint_every_steps = 2

[codec]
encoder_dim = 4
encoder_rates = [8, 8, 8]
latent_dim = 8
decoder_dim = 16
decoder_rates = [8, 8, 8]
n_codebooks = 2
codebook_size = 16
"""
LANGUAGE_MODEL = """
steps = {steps}
batch = 2
frames = 32
newest_frames = [4, 8]
examples = 4
rooms = 1
log_every_steps = 1
checkpoint_every_steps = 2

[language_model]
width = 16
encoder_layers = 1
layers = 1
heads = 2
feed_forward = 32
"""


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def logged_steps(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")  # a slower kernel is chosen
def test_recordings_become_a_bundle_that_restores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, audio in {"anna/a.wav": voice(3.0), "ben/b.flac": voice(3.0, 90.0, 1)}.items():
        Path("recordings", path).parent.mkdir(parents=True)
        soundfile.write(Path("recordings", path), audio, 44_100)
    Path("recordings/noise").mkdir()
    soundfile.write("recordings/noise/hiss.wav", noise(88_200), 44_100)
    assert run("data", "prepare", "recordings") == 0
    for model, config in {"codec": CODEC, "lm": LANGUAGE_MODEL}.items():
        Path("config.toml").write_text(config.format(steps=2))
        assert run("train", model, "--config", "config.toml") == 0
        Path("config.toml").write_text(config.format(steps=4))
        assert run("train", model, "--config", "config.toml", "--resume") == 0
        assert logged_steps(Path("runs", model)) == [1, 2, 3, 4]
        assert Path("runs", model, "sample.flac").exists()
        assert Path("runs", model, "losses.png").exists()
    Path("own.toml").write_text(PRESET.format(bundle="runs/lm/bundle"))
    assert run("restore", "recordings/anna/a.wav", "restored.wav", "--preset", "own.toml") == 0
    assert soundfile.info("restored.wav").frames == soundfile.info("recordings/anna/a.wav").frames
