"""The fast form of the bundle that ships computes what the plain one does.

The tolerances are those of bf16, in which the fast form computes where the CPU multiplies it natively: what
latents and sound differ by is 30 dB weaker than they are, and 19 of 20 most likely tokens are the same.
"""

from pathlib import Path

import pytest
import soundfile
import torch
from torch import Tensor

from main import main
from model.bundle import bundle_folder
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.reference import load_reference
from realtime.demo import SAMPLE

FRAMES, FIRST = 74, 48


@pytest.fixture(scope="module")
def fast() -> MaskSR:
    return MaskSR.load(bundle_folder("compact"))


@pytest.fixture(scope="module")
def plain() -> MaskSR:
    return load_reference(bundle_folder("compact"))


@pytest.fixture(scope="module")
def noisy() -> Tensor:
    """A window of the bundled sample."""
    audio, _ = soundfile.read(SAMPLE, dtype="float32", start=44_100, frames=FRAMES * FRAME_SAMPLES)
    return torch.from_numpy(audio)[None]


def ratio_db(expected: Tensor, actual: Tensor) -> float:
    return float(10 * torch.log10(expected.square().mean() / (actual - expected).square().mean()))


def test_latents_agree(fast: MaskSR, plain: MaskSR, noisy: Tensor) -> None:
    assert ratio_db(plain.codec.latents(noisy), fast.codec.latents(noisy)) > 30


@torch.no_grad()
def test_enhanced_sound_agrees(fast: MaskSR, plain: MaskSR, noisy: Tensor) -> None:
    white = torch.randn(noisy.shape, generator=torch.Generator().manual_seed(0))
    enhanced = [model.language_model.speech_encoder(noisy, white)[0] for model in (plain, fast)]
    assert ratio_db(*enhanced) > 30


@torch.no_grad()
def test_likeliest_tokens_agree(fast: MaskSR, plain: MaskSR, noisy: Tensor) -> None:
    """Finer tokens are asked for after the same coarser ones: after others, others would be right."""
    latents = plain.codec.latents(noisy)
    tokens = plain.codec.quantize(latents)
    hidden = tokens.clone()
    hidden[:, :, FIRST:] = plain.mask_token
    condition, _ = plain.language_model.encode(noisy, 0 * noisy, plain.codec)
    predicted = [
        model(hidden, condition[..., : model.no_condition.numel()], tokens[:, :, FIRST:], FIRST).argmax(-1)
        for model in (fast.language_model, plain.language_model)
    ]
    assert (predicted[0] == predicted[1]).float().mean() > 0.95


def test_sound_agrees(fast: MaskSR, plain: MaskSR, noisy: Tensor) -> None:
    tokens = plain.codec.encode(noisy)
    assert ratio_db(plain.codec.decode(tokens, 10, 28), fast.codec.decode(tokens, 10, 28)) > 30


def test_restored_recordings_agree(tmp_path: Path, noisy: Tensor) -> None:
    """From end to end, as a user compares them."""
    soundfile.write(tmp_path / "in.wav", noisy[0], SAMPLE_RATE_HZ, subtype="FLOAT")
    for name, options in {"fast": [], "plain": ["--reference"]}.items():
        files = [str(tmp_path / "in.wav"), str(tmp_path / f"{name}.wav")]
        assert main(["restore", *files, "--preset", "cpu", *options]) == 0
    fast, plain = (
        torch.from_numpy(soundfile.read(tmp_path / f"{name}.wav")[0]) for name in ("fast", "plain")
    )
    assert not torch.equal(fast, plain)
    assert ratio_db(plain, fast) > 30
