"""Codebooks learn what stands for latents, and leave none of their entries idle."""

from typing import Any

import pytest
import torch
from torch import Tensor

from model.codebook_averages import CodebookAverages
from model.codec import build_dac
from model.codec_start import start_as_filter_bank, start_codebooks
from tests.codecs import banded_codec

CONFIG = banded_codec(codebook_size=16)
IS_ENCODED = torch.arange(CONFIG.latent_channels) < 28  # the others carry noise


def latents(seed: int = 0, scale: float = 1.0) -> Tensor:
    """[2, channels, 200], as of speech: alike in groups, and none where noise is."""
    rng = torch.Generator().manual_seed(seed)
    kinds = torch.randn(40, CONFIG.latent_channels, generator=torch.Generator().manual_seed(99))
    points = kinds[torch.randint(40, (2, 200), generator=rng)]
    return (
        scale
        * (points + 0.1 * torch.randn(points.shape, generator=rng)).transpose(1, 2)
        * IS_ENCODED[:, None]
    )


@pytest.fixture
def dac() -> Any:
    torch.manual_seed(0)
    dac = build_dac(CONFIG).requires_grad_(False)
    start_as_filter_bank(dac)
    start_codebooks(dac, latents(), rounds=1)
    return dac


def learn(averages: CodebookAverages, steps: int, scale: float = 1.0) -> list[float]:
    """What share of the latents' power is lost in each step."""
    return [
        float(averages.quantize(latents(step, scale).requires_grad_())[1].detach()) for step in range(steps)
    ]


def test_codebooks_follow_latents_that_change(dac: Any) -> None:
    lost = learn(CodebookAverages(dac, IS_ENCODED, decay=0.9), 60, scale=2.0)
    assert lost[-1] < 0.5 * lost[0]


def test_nothing_is_learned_without_gradients(dac: Any) -> None:
    averages, before = CodebookAverages(dac, IS_ENCODED, decay=0.5), entries(dac)
    with torch.no_grad():
        averages.quantize(latents(scale=2.0))
    assert torch.equal(entries(dac), before)


def test_entries_that_nobody_chooses_come_into_use(dac: Any) -> None:
    first = dac.quantizer.quantizers[0]
    first.codebook.weight[8:, :-1] += 100.0
    averages = CodebookAverages(dac, IS_ENCODED, decay=0.8)
    learn(averages, 60)
    assert (averages.masses[0].mean(1) > 0.03 * averages.masses[0].mean()).sum() > 12
    assert first.codebook.weight[8:, :-1].abs().max() < 50


def test_gradients_pass_straight_on_to_what_is_encoded(dac: Any) -> None:
    heard = latents().requires_grad_()
    quantized, _ = CodebookAverages(dac, IS_ENCODED, decay=0.9).quantize(heard)
    quantized.sum().backward()
    assert heard.grad is not None
    assert (heard.grad == IS_ENCODED[:, None]).all()


def test_what_an_entry_tells_of_noise_stays(dac: Any) -> None:
    quantizer = dac.quantizer.quantizers[0]
    noise = slice(CONFIG.codebook_dim - 2, None)  # two coordinates that only turn up noise
    quantizer.out_proj.weight_v[:, noise] = 0.0
    quantizer.out_proj.weight_v[-2:, noise, 0] = torch.eye(2)
    quantizer.out_proj.weight_g[-2:] = 1.0
    quantizer.codebook.weight[:, noise] = 0.3
    before = quantizer.codebook.weight.clone()
    learn(CodebookAverages(dac, IS_ENCODED, decay=0.9), 5, scale=2.0)
    assert torch.equal(quantizer.codebook.weight[:, noise], before[:, noise])
    assert not torch.equal(quantizer.codebook.weight, before)


def entries(dac: Any) -> Tensor:
    return torch.stack([quantizer.codebook.weight.clone() for quantizer in dac.quantizer.quantizers])
