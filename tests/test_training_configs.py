"""Every training configuration that ships is valid and describes networks that can be built."""

from pathlib import Path

import pytest
import torch

from model.codec import build_dac
from model.language_model import LanguageModel
from model.train_codec import CodecTrainingConfig
from model.train_lm import LanguageModelTrainingConfig
from model.training import read_config

CONFIGS = Path(__file__).parents[1] / "model" / "configs"
COMPACT = read_config(CONFIGS / "codec_compact.toml", CodecTrainingConfig).codec


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("codec_*.toml")), ids=lambda path: path.stem)
def test_a_codec_can_be_built(path: Path) -> None:
    config = read_config(path, CodecTrainingConfig)
    with torch.device("meta"):
        codec = build_dac(config.codec)
    assert codec.hop_length == 512


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("lm_*.toml")), ids=lambda path: path.stem)
def test_a_language_model_can_be_built(path: Path) -> None:
    config = read_config(path, LanguageModelTrainingConfig)
    with torch.device("meta"):
        model = LanguageModel(config.language_model, COMPACT)
    assert sum(parameter.numel() for parameter in model.parameters()) > 1e6


@pytest.mark.parametrize("stage", ["decoder", "opinion", "critic"])
def test_the_decoder_stages_fit_the_codec_that_they_start_from(stage: str) -> None:
    assert read_config(CONFIGS / f"codec_compact_{stage}.toml", CodecTrainingConfig).codec == COMPACT


def test_the_rolling_stage_fits_the_language_model_that_it_starts_from() -> None:
    shapes = [
        read_config(CONFIGS / f"{name}.toml", LanguageModelTrainingConfig).language_model
        for name in ("lm_compact", "lm_compact_rolling")
    ]
    assert shapes[0] == shapes[1]
