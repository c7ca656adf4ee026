"""Pieces and spans give what the whole signal gives, and compute no more for a longer past."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from model.channels_last import to_channels_last, to_image
from model.codec import CodecConfig, build_dac
from model.stages import Stage, StageStream, run_span, to_stages

SHAPES = [((8, 8, 8), (8, 8, 8)), ((2, 4, 8, 8), (8, 8, 4, 2)), ((8, 64), (64, 8))]
FRAME = 512


def dac(rates: tuple[tuple[int, ...], tuple[int, ...]]) -> Any:
    torch.manual_seed(0)
    encoder_rates, decoder_rates = rates
    config = CodecConfig(
        encoder_dim=2,
        encoder_rates=encoder_rates,
        latent_dim=8,
        decoder_dim=32,
        decoder_rates=decoder_rates,
        n_codebooks=1,
    )
    dac = build_dac(config).requires_grad_(False)
    for part in (dac.encoder, dac.decoder):
        to_channels_last(part)
    return dac


def image(channels: int, samples: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return to_image(torch.randn(1, channels, samples, generator=generator), torch.float32)


def assert_equal(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@contextmanager
def computed(stages: list[Stage]) -> Iterator[list[int]]:
    """The number of values that each stage gives out, call by call."""
    counts: list[int] = []
    hooks = [
        stage.module.register_forward_hook(lambda module, inputs, output: counts.append(output.numel()))
        for stage in stages
    ]
    yield counts
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("rates", SHAPES)
@torch.no_grad()
def test_pieces_of_any_length_give_what_the_whole_gives(rates: Any) -> None:
    encoder = dac(rates).encoder
    stages = to_stages(encoder.block)
    stream, sound = StageStream(stages), image(1, 80 * FRAME)
    begin = -(-stream.shortest_start // FRAME) * FRAME
    past = stream.start(sound[..., :begin])[1]
    for frames in (1, 3, 16, 2):
        end = begin + frames * FRAME
        outputs, past = stream.go_on(sound[..., begin:end], past)
        assert outputs.shape[-1] == frames + stream.provisional
        assert_equal(outputs, encoder(sound[..., :end])[..., -outputs.shape[-1] :])
        begin = end


@torch.no_grad()
def test_only_provisional_outputs_change_when_more_is_heard() -> None:
    encoder = dac(SHAPES[0]).encoder
    stream, sound = StageStream(to_stages(encoder.block)), image(1, 60 * FRAME)
    cut, whole = encoder(sound[..., : 30 * FRAME]), encoder(sound)[..., :30]
    difference = (cut - whole).abs().amax((0, 1, 2)) / whole.std()
    assert (difference[: -stream.provisional] < 1e-5).all()
    assert difference[-1] > 1e-2


@pytest.mark.parametrize("rates", SHAPES)
@pytest.mark.parametrize(("start", "stop"), [(0, 40), (0, 3), (17, 18), (20, 36), (39, 40)])
@torch.no_grad()
def test_a_span_is_cut_out_of_the_whole(rates: Any, start: int, stop: int) -> None:
    decoder = dac(rates).decoder
    latents, span = image(8, 40), slice(start * FRAME - start, stop * FRAME)
    stages = to_stages(decoder.model)
    assert_equal(run_span(stages, latents, span.start, span.stop), decoder(latents)[..., span])


@torch.no_grad()
def test_a_longer_past_costs_nothing() -> None:
    encoder, decoder = (
        to_stages(part) for part in (dac(SHAPES[0]).encoder.block, dac(SHAPES[0]).decoder.model)
    )
    stream, costs = StageStream(encoder), []
    for past_frames in (20, 200):
        past = stream.start(image(1, past_frames * FRAME))[1]
        with computed(encoder + decoder) as counts:
            stream.go_on(image(1, 16 * FRAME), past)
            run_span(decoder, image(8, past_frames + 26), past_frames * FRAME, (past_frames + 18) * FRAME)
        costs.append(counts)
    assert costs[0] == costs[1]


def test_a_stage_knows_its_rate_and_reach() -> None:
    module = nn.Sequential(
        nn.Conv1d(1, 1, 7, dilation=3, padding=9), nn.Conv1d(1, 1, 16, stride=8, padding=4)
    )
    stage = to_stages([module])[0]
    assert (stage.reach, stage.down, stage.up) == (13, 8, 1)
