"""A rehearsal meets the states of a live stream, and completes them as the codec's quantizer would."""

import pytest
import torch
from torch import Tensor

from model.codec import Codec, build_dac
from model.codec_start import start_as_filter_bank, start_codebooks
from model.examples import Batch
from model.language_model import LanguageModel, LanguageModelConfig
from model.plan import FRAME_SAMPLES
from model.rehearsal import Completion, Rehearsal, RehearsalConfig
from tests.codecs import banded_codec
from tests.signals import noise

CODEC = banded_codec(codebook_size=64)
SHAPE = LanguageModelConfig(width=32, encoder_layers=1, layers=1, heads=2, feed_forward=8)
CONFIG = RehearsalConfig(hop_frames=3, lookahead_frames=7)
FRAMES, MASK = 40, CODEC.codebook_size


@pytest.fixture(scope="module")
def codec() -> Codec:
    """A transform codec whose codebooks are clustered from noise."""
    torch.manual_seed(0)
    dac = build_dac(CODEC).requires_grad_(False)
    start_as_filter_bank(dac)
    start_codebooks(dac, dac.encoder(torch.from_numpy(noise(800 * FRAME_SAMPLES))[None, None]))
    return Codec(dac, torch.float32)


@pytest.fixture(scope="module")
def model(codec: Codec) -> LanguageModel:
    torch.manual_seed(0)
    model = LanguageModel(SHAPE, CODEC).requires_grad_(False)
    model.start_from_codec(codec)
    return model


@pytest.fixture(scope="module")
def batch(codec: Codec) -> Batch:
    noisy, target = (torch.from_numpy(noise(2 * FRAMES * FRAME_SAMPLES, s)).view(2, -1) for s in (1, 2))
    latents = codec.latents(target)
    return Batch(noisy, target, latents, codec.quantize(latents), torch.full((len(noisy),), 22_050))


def error(codec: Codec, tokens: Tensor, latents: Tensor) -> float:
    """Mean square of what the tokens [batch, codebooks, frames] miss of the latents."""
    made = sum(vectors[level] for vectors, level in zip(codec.vectors(), tokens.transpose(0, 1), strict=True))
    return float((latents.transpose(1, 2) - made).square().mean())


def test_with_nothing_decided_it_is_the_quantizer(codec: Codec, batch: Batch) -> None:
    hidden = torch.full_like(batch.tokens, MASK)
    completed = Completion(codec, MASK).complete(hidden, batch.target_latents)
    assert (completed == batch.tokens).float().mean() > 0.99  # float32 breaks ties either way


def test_what_is_decided_stays_and_the_rest_makes_up_for_it(codec: Codec, batch: Batch) -> None:
    given = torch.full_like(batch.tokens, MASK)
    given[:, 0] = (batch.tokens[:, 0] + 1) % MASK  # wrong
    completed = Completion(codec, MASK).complete(given, batch.target_latents)
    assert torch.equal(completed[:, 0], given[:, 0])
    with_fine_tokens_of_the_target = torch.cat([given[:, :1], batch.tokens[:, 1:]], dim=1)
    assert error(codec, completed, batch.target_latents) < error(
        codec, with_fine_tokens_of_the_target, batch.target_latents
    )


def rehearsed(codec: Codec, model: LanguageModel, batch: Batch, seed: int) -> tuple[Batch, Tensor, int]:
    """The last window, the state and the hops before it."""
    generator = torch.Generator().manual_seed(seed)
    window, state = Rehearsal(CONFIG, codec, model).rehearse(batch, generator)
    return window, state, (FRAMES - state.shape[2]) // CONFIG.hop_frames


def test_every_length_of_stream_is_rehearsed(codec: Codec, model: LanguageModel, batch: Batch) -> None:
    assert {rehearsed(codec, model, batch, seed)[2] for seed in range(16)} == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", range(6))
def test_the_state_is_that_of_a_stream(codec: Codec, model: LanguageModel, batch: Batch, seed: int) -> None:
    window, state, hops = rehearsed(codec, model, batch, seed)
    newest, given_out = 3 + 7, 3 * hops
    context = state.shape[2] - newest
    known = slice(given_out, FRAMES - newest - given_out)
    assert torch.equal(state[:, :, : context - given_out], batch.tokens[:, :, known])
    assert (state[:, :, :context] != MASK).all()
    assert (state[:, :, -3:] == MASK).all()
    masked = (state[:, :, context:] == MASK).float().mean((0, 1))
    groups = torch.stack([masked[start : start + 3].mean() for start in (0, 3, 6)])
    assert (groups.diff() >= 0).all()
    assert (groups[0] < 1) == (hops > 0)
    decided = state != MASK
    assert torch.equal(window.tokens[decided], state[decided])
    assert (window.tokens != MASK).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_last_window_ends_with_the_batch_and_hears_nothing_beyond_itself(
    codec: Codec, model: LanguageModel, batch: Batch, seed: int
) -> None:
    window, state, hops = rehearsed(codec, model, batch, seed)
    assert torch.equal(window.noisy, batch.noisy[:, 3 * hops * FRAME_SAMPLES :])
    assert torch.equal(window.target, batch.target[:, 3 * hops * FRAME_SAMPLES :])
    assert torch.equal(window.target_latents, batch.target_latents[:, :, 3 * hops :])
    assert window.tokens.shape == state.shape
