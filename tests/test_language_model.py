"""The language model hears frames where they are, both ways in time, and starts as the codec's quantizer."""

from functools import cache

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from model.codec import Codec, build_dac
from model.language_model import LanguageModel, LanguageModelConfig
from model.plan import FRAME_SAMPLES
from model.transformer import Transformer, rotary_turn, rotate
from tests.codecs import small_codec

CODEC = small_codec(codebooks=3)
SHAPE = LanguageModelConfig(width=16, encoder_layers=1, layers=2, heads=2, feed_forward=32)
FRAMES, MASK = 12, 16


def trained_model() -> LanguageModel:
    """Random weights everywhere, as training leaves them, and not the zeros that blocks start from."""
    torch.manual_seed(0)
    model = LanguageModel(SHAPE, CODEC).requires_grad_(False)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return model


def sound(frames: int = FRAMES, batch: int = 2) -> Tensor:
    return 0.1 * torch.randn(batch, frames * FRAME_SAMPLES, generator=torch.Generator().manual_seed(1))


@cache
def codec() -> Codec:
    torch.manual_seed(0)
    return Codec(build_dac(CODEC), torch.float32)


def hear(model: LanguageModel, audio: Tensor, first_frame: int = 0) -> Tensor:
    noise = torch.randn(audio.shape, generator=torch.Generator().manual_seed(4))
    return model.encode(audio, noise, codec(), first_frame)[0]


def tokens(frames: int = FRAMES, batch: int = 2) -> Tensor:
    return torch.randint(MASK + 1, (batch, 3, frames), generator=torch.Generator().manual_seed(3))


def test_every_token_has_logits_for_every_entry() -> None:
    model = trained_model()
    condition = hear(model, sound())
    assert condition.shape == (2, FRAMES, 16)
    logits = model(tokens(), condition)
    assert logits.shape == (2, FRAMES, 3, 16)
    assert logits.isfinite().all()


def test_the_oldest_frames_may_be_left_out() -> None:
    model = trained_model()
    condition = hear(model, sound())
    torch.testing.assert_close(model(tokens(), condition, first_frame=5), model(tokens(), condition)[:, 5:])


@pytest.mark.parametrize("place", [(0, 0), (2, FRAMES - 1)], ids=["oldest", "newest"])
def test_a_prediction_uses_tokens_before_and_after_it(place: tuple[int, int]) -> None:
    model = trained_model()
    condition = hear(model, sound())
    changed = tokens()
    changed[(slice(None), *place)] = (changed[(slice(None), *place)] + 1) % 16
    difference = (model(changed, condition) - model(tokens(), condition)).abs().amax((0, 2, 3))
    assert (difference > 1e-6).all()


def test_a_prediction_uses_the_latents_of_the_enhanced_sound_and_what_else_is_known() -> None:
    model = trained_model()
    enhanced, _, known = model.speech_encoder(sound(), 0 * sound())
    heard = codec().latents(enhanced)
    condition = model.condition(heard, known)
    for other in (model.condition(-heard, known), model.condition(heard, -known)):
        assert (model(tokens(), other) - model(tokens(), condition)).abs().max() > 1e-3


def test_the_newest_frames_may_be_heard_alone() -> None:
    model, audio = trained_model(), sound(2 * FRAMES)
    torch.testing.assert_close(hear(model, audio, 15), hear(model, audio)[:, 15:], rtol=1e-4, atol=1e-5)


def test_silence_is_finite() -> None:
    assert hear(trained_model(), 0 * sound()).isfinite().all()


@torch.no_grad()
def test_untrained_it_copies_the_noisy_speech_as_the_quantizer_would() -> None:
    model = LanguageModel(SHAPE, CODEC)
    model.start_from_codec(codec())
    audio = sound(30)
    (condition, _), expected = model.encode(audio, 0 * audio, codec()), codec().encode(audio)
    masked = torch.full_like(expected, MASK)
    for levels in range(3):
        known = torch.cat([expected[:, :levels], masked[:, levels:]], dim=1)
        predicted = model(known, condition).argmax(-1).transpose(1, 2)
        assert (predicted == expected)[:, levels:].float().mean() > 0.95


@torch.no_grad()
def test_what_holds_nothing_is_left_out_unheard() -> None:
    torch.manual_seed(0)
    fresh, trained = LanguageModel(SHAPE, CODEC), trained_model()
    fresh.start_from_codec(codec())
    latents = CODEC.latent_channels
    for model, width in ((fresh, latents), (trained, SHAPE.width)):
        before = model(tokens(), hear(model, sound()))
        model.leave_out_idle()
        assert [head.get_parameter("weight").shape[1] for head in model.heads] == 3 * [width]
        torch.testing.assert_close(model(tokens(), hear(model, sound())), before)
    assert latents < SHAPE.width


@torch.no_grad()
def test_a_finer_token_is_predicted_by_the_coarser_ones_chosen() -> None:
    model, masked = trained_model(), torch.full((2, 3, FRAMES), MASK)
    condition = hear(model, sound())
    free = model(masked, condition)
    likeliest = free.argmax(-1).transpose(1, 2)
    torch.testing.assert_close(model(masked, condition, chosen=likeliest), free)
    other = torch.cat([likeliest[:, :1], (likeliest[:, 1:2] + 1) % 16, likeliest[:, 2:]], dim=1)
    changed = (model(masked, condition, chosen=other) - free).abs().amax((0, 1, 3)) > 1e-6
    assert changed.tolist() == [False, False, True]
    given = torch.cat([other[:, :2], masked[:, 2:]], dim=1)  # what is given needs no choice
    torch.testing.assert_close(model(given, condition, chosen=likeliest), model(given, condition))


def test_attention_depends_on_the_distance_of_frames_alone() -> None:
    turn = rotary_turn(50, 8, torch.device("cpu"))
    query, key = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(0))

    def score(query_frame: int, key_frame: int) -> float:
        turned = [rotate(x, turn[:, i]) for x, i in ((query, query_frame), (key, key_frame))]
        return float((turned[0] * turned[1]).sum())

    assert score(7, 3) == pytest.approx(score(44, 40), abs=1e-4)
    assert abs(score(7, 3) - score(7, 4)) > 1e-3


def test_a_fresh_transformer_passes_its_input_on() -> None:
    x = torch.randn(2, FRAMES, 8, generator=torch.Generator().manual_seed(2))
    assert torch.equal(Transformer(8, 3, 2, 32)(x), x)


def test_heads_that_do_not_fit_the_width_are_refused() -> None:
    with pytest.raises(ValidationError, match="even multiple"):
        LanguageModelConfig(width=18, encoder_layers=1, layers=1, heads=6, feed_forward=8)
