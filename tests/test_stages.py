"""A span of what a network makes is that of the whole, and costs no more for a longer past."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from model.channels_last import to_channels_last, to_image
from model.codec import CodecConfig, build_dac
from model.stages import Stage, reach_samples, run_span, to_stages

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
@pytest.mark.parametrize(("start", "stop"), [(0, 40), (0, 3), (17, 18), (20, 36), (39, 40)])
@torch.no_grad()
def test_a_span_is_cut_out_of_the_whole(rates: Any, start: int, stop: int) -> None:
    decoder = dac(rates).decoder
    latents, span = image(8, 40), slice(start * FRAME - start, stop * FRAME)
    stages = to_stages(decoder.model)
    assert_equal(run_span(stages, latents, span.start, span.stop), decoder(latents)[..., span])


@torch.no_grad()
def test_a_longer_past_costs_nothing() -> None:
    decoder, costs = to_stages(dac(SHAPES[0]).decoder.model), []
    for past_frames in (20, 200):
        with computed(decoder) as counts:
            run_span(decoder, image(8, past_frames + 26), past_frames * FRAME, (past_frames + 18) * FRAME)
        costs.append(counts)
    assert costs[0] == costs[1]


def test_a_stage_knows_its_rate_and_reach() -> None:
    module = nn.Sequential(
        nn.Conv1d(1, 1, 7, dilation=3, padding=9), nn.Conv1d(1, 1, 16, stride=8, padding=4)
    )
    stage = to_stages([module])[0]
    assert (stage.reach, stage.down, stage.up) == (13, 8, 1)


def test_the_reach_of_a_network_is_that_of_its_stages_together() -> None:
    encoder = dac(SHAPES[0]).encoder
    reach, sound = reach_samples(to_stages(encoder.block)), image(1, 60 * FRAME)
    changed = sound.clone()
    changed[..., 30 * FRAME] += 1.0
    difference = (encoder(changed) - encoder(sound)).abs().amax((0, 1, 2)) > 0
    heard_by = difference.nonzero().flatten() * FRAME
    assert heard_by.min() >= 30 * FRAME - reach - FRAME
    assert heard_by.max() <= 30 * FRAME + reach
    assert heard_by.max() - heard_by.min() > reach
