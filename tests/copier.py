"""A restorer that copies low tones, and such tones."""

import numpy as np
import torch

from model.arrays import FloatArray
from model.codec import Codec, build_dac
from model.codec_start import start_as_filter_bank, start_codebooks
from model.language_model import LanguageModel, LanguageModelConfig
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from tests.codecs import banded_codec


def load_copier() -> MaskSR:
    """Untrained but started as training starts."""
    torch.manual_seed(0)
    config = banded_codec(codebook_size=128)
    dac = build_dac(config).requires_grad_(False)
    start_as_filter_bank(dac)
    start_codebooks(dac, dac.encoder(torch.from_numpy(melody(20.0, seed=1))[None, None]))
    codec = Codec(dac, torch.float32)
    shape = LanguageModelConfig(width=32, encoder_layers=1, layers=1, heads=2, feed_forward=8)
    language_model = LanguageModel(shape, config).requires_grad_(False)
    language_model.start_from_codec(codec)
    return MaskSR(codec, language_model, torch.device("cpu"))


def melody(duration_s: float, seed: int = 0) -> FloatArray:
    """Low tones of a tenth of a second each, at the level the model is given."""
    rng = np.random.default_rng(seed)
    frequencies_hz = np.repeat(rng.uniform(200, 800, round(duration_s * 10)), SAMPLE_RATE_HZ // 10)
    phase = np.cumsum(2 * np.pi * frequencies_hz / SAMPLE_RATE_HZ)[: int(duration_s * 86) * FRAME_SAMPLES]
    return (0.085 * np.sin(phase)).astype(np.float32)
