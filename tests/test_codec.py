"""The codec turns frames into tokens and back as the stock class does, and hears as far as others rely on."""

import pytest
import torch
from pydantic import ValidationError

from model.bundle import Bundle, bundle_folder
from model.codec import DECODE_CONTEXT_FRAMES, MARGIN_FRAMES, Codec, CodecConfig, build_dac
from model.plan import FRAME_SAMPLES
from tests.codecs import small_codec

TINY = small_codec(codebooks=3)
FRAMES = 30


def tiny_codec() -> Codec:
    torch.manual_seed(0)
    return Codec(build_dac(TINY), torch.float32)


@pytest.fixture(scope="module")
def compact_codec() -> Codec:
    """The codec that ships."""
    return Bundle.load(bundle_folder("compact")).build_codec(torch.device("cpu"), torch.float32)


def sound(frames: int, batch: int = 2) -> torch.Tensor:
    return 0.1 * torch.randn(batch, frames * FRAME_SAMPLES, generator=torch.Generator().manual_seed(1))


def test_a_frame_of_sound_is_a_column_of_tokens_and_back() -> None:
    codec = tiny_codec()
    tokens = codec.encode(sound(7))
    assert tokens.shape == (2, 3, 7)
    assert tokens.dtype == torch.int64
    assert ((tokens >= 0) & (tokens < 16)).all()
    audio = codec.decode(tokens)
    assert audio.shape == (2, 7 * FRAME_SAMPLES)
    assert audio.dtype == torch.float32


@torch.no_grad()
def test_it_computes_what_the_stock_class_computes() -> None:
    torch.manual_seed(0)
    stock, codec = build_dac(TINY).eval(), tiny_codec()
    latents = stock.encoder(sound(7)[:, None])
    torch.testing.assert_close(codec.latents(sound(7)), latents, rtol=1e-4, atol=1e-5)
    quantized, tokens, *_ = stock.quantizer(latents)
    assert torch.equal(codec.encode(sound(7)), tokens)
    torch.testing.assert_close(codec.decode(tokens), stock.decode(quantized)[:, 0], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_wider_search_comes_nearer_to_the_latents() -> None:
    torch.manual_seed(0)
    dac = build_dac(TINY)
    latents = tiny_codec().latents(sound(40))
    errors = []
    for width in (2, 8, 64):
        torch.manual_seed(0)
        tokens = Codec(build_dac(TINY), torch.float32, width).quantize(latents)
        assert tokens.shape == (2, 3, 40)
        errors.append(float((dac.quantizer.from_codes(tokens)[0] - latents).square().mean()))
    assert errors == sorted(errors, reverse=True)
    stock = dac.quantizer.from_codes(dac.eval().quantizer(latents)[1])[0]
    assert errors[0] < (stock - latents).square().mean()


@torch.no_grad()
def test_vectors_are_what_each_token_adds_to_the_latents() -> None:
    torch.manual_seed(0)
    stock, codec = build_dac(TINY).eval(), tiny_codec()
    tokens = torch.randint(16, (1, 3, 5))
    vectors = codec.vectors()
    assert vectors.shape == (3, 16, 8)
    summed = torch.stack([vectors[level, tokens[0, level]] for level in range(3)]).sum(0)
    torch.testing.assert_close(summed.T, stock.quantizer.from_codes(tokens)[0][0])


def test_lookup_chooses_the_entries_that_the_quantizer_chooses() -> None:
    codec = tiny_codec()
    residual, (weight, bias) = codec.latents(sound(7)).transpose(1, 2), codec.lookup()
    for level, expected in enumerate(codec.encode(sound(7)).unbind(1)):
        chosen = (residual @ weight[level].T + bias[level]).argmax(-1)
        assert torch.equal(chosen, expected)
        residual = residual - codec.vectors()[level, chosen]


def test_the_reach_of_the_decoder_is_within_the_context_that_the_stream_decodes_with(
    compact_codec: Codec,
) -> None:
    tokens = torch.randint(1024, (1, compact_codec.codebooks, FRAMES))
    whole = compact_codec.decode(tokens)[:, FRAMES // 2 * FRAME_SAMPLES :]

    def with_context(frames: int) -> torch.Tensor:
        return compact_codec.decode(tokens[:, :, FRAMES // 2 - frames :])[:, frames * FRAME_SAMPLES :]

    torch.testing.assert_close(with_context(DECODE_CONTEXT_FRAMES), whole, rtol=0, atol=1e-6)
    assert (with_context(0) - whole).abs().max() > 0.1 * whole.std()


def test_the_encoder_hears_no_further_than_it_says(compact_codec: Codec) -> None:
    margin = compact_codec.margin_frames
    assert margin <= MARGIN_FRAMES
    whole = compact_codec.latents(sound(FRAMES, 1))[:, :, margin:-margin]
    for known, is_enough in ((margin, True), (0, False)):
        skipped = (margin - known) * FRAME_SAMPLES
        cut = compact_codec.latents(sound(FRAMES, 1)[:, skipped : FRAMES * FRAME_SAMPLES - skipped])
        difference = (cut[:, :, known : cut.shape[2] - known] - whole).abs().max() / whole.std()
        assert (difference < 1e-4) == is_enough


def test_items_of_a_batch_do_not_mix() -> None:
    codec = tiny_codec()
    together = codec.encode(sound(7))
    assert torch.equal(codec.encode(sound(7)[1:]), together[1:])
    torch.testing.assert_close(codec.decode(together)[1:], codec.decode(together[1:]))


@pytest.mark.parametrize("part", ["encoder_rates", "decoder_rates"])
def test_rates_of_another_hop_are_refused(part: str) -> None:
    with pytest.raises(ValidationError, match="must each multiply to 512"):
        CodecConfig.model_validate(TINY.model_dump() | {part: (8, 8, 4)})


def test_wanted_frames_are_cut_out_of_the_whole_sound(compact_codec: Codec) -> None:
    tokens = torch.randint(1024, (1, compact_codec.codebooks, FRAMES))
    whole = compact_codec.decode(tokens)[:, 12 * FRAME_SAMPLES : 20 * FRAME_SAMPLES]
    torch.testing.assert_close(compact_codec.decode(tokens, 12, 20), whole, rtol=0, atol=1e-6)
