"""Convolutions that follow each other are computed as one, with the same result, and nothing else is."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from model.channels_last import to_channels_last, to_image
from model.codec import build_dac, fold_weight_norm
from model.codec_start import start_as_filter_bank
from model.filter_bank import FilterBank, all_but_banks_to, folded
from tests.codecs import banded_codec

CONFIG = banded_codec(16).model_copy(
    update={"encoder_rates": (4, 128), "decoder_dim": 512, "decoder_rates": (2, 2, 32, 4)}
)
FRAMES = 20
INNER = slice(4, -4)  # frames whose neighbours are all there


@pytest.fixture
def dac() -> Any:
    torch.manual_seed(0)
    dac = build_dac(CONFIG).eval()
    start_as_filter_bank(dac)
    return dac.requires_grad_(False)


def sound() -> Tensor:
    return 0.1 * torch.randn(2, 1, FRAMES * 512, generator=torch.Generator().manual_seed(1))


def ratio_db(expected: Tensor, actual: Tensor) -> float:
    return float(10 * torch.log10(expected.square().mean() / (actual - expected).square().mean()))


def test_a_transform_codec_folds_to_one_convolution_each_way(dac: Any) -> None:
    latents = dac.encoder(sound())
    encoder, decoder = folded(dac.encoder.block, torch.float32), folded(dac.decoder.model, torch.float32)
    assert [type(step) for step in encoder] == [FilterBank]
    assert [type(step) for step in decoder] == [nn.Conv1d, FilterBank, nn.Tanh]
    assert ratio_db(latents[..., INNER], encoder(sound())[..., INNER]) > 80
    samples = slice(INNER.start * 512, INNER.stop * 512)
    assert ratio_db(dac.decoder(latents)[..., samples], decoder(latents)[..., samples]) > 80


def test_units_and_snakes_that_do_something_stay(dac: Any) -> None:
    unit = dac.decoder.model[1].block[2]
    nn.init.ones_(unit.block[-1].weight_g)
    nn.init.ones_(dac.decoder.model[2].block[0].alpha)
    latents = dac.encoder(sound())
    steps = folded(dac.decoder.model, torch.float32)
    assert [type(step).__name__ for step in steps] == [
        *("Conv1d", "ConvTranspose1d", "ResidualUnit", "Snake1d", "FilterBank", "Tanh")
    ]
    assert steps[2] is unit
    inner = slice(6 * 512, -6 * 512)
    assert ratio_db(dac.decoder(latents)[..., inner], steps(latents)[..., inner]) > 60


def test_what_learns_stays_as_it_is(dac: Any) -> None:
    dac.decoder.model[:2].requires_grad_(True)
    steps = folded(dac.decoder.model, torch.float32)
    assert steps[0] is dac.decoder.model[0]
    assert list(steps.children())[1:6] == list(dac.decoder.model[1].block)
    steps(dac.encoder(sound())).square().sum().backward()
    learning = [module for module in dac.decoder.model[1].block[1:] if hasattr(module, "weight_v")]
    assert all(module.weight_v.grad is not None for module in learning)


def test_weights_that_were_loaded_are_those_that_are_folded(dac: Any) -> None:
    """Weight normalisation makes them anew at a call only."""
    loaded = build_dac(CONFIG).eval().requires_grad_(False)
    loaded.load_state_dict(dac.state_dict())
    expected = folded(dac.encoder.block, torch.float32)(sound())
    torch.testing.assert_close(folded(loaded.encoder.block, torch.float32)(sound()), expected)


def test_a_bank_computes_in_full_precision_whatever_the_others_do(dac: Any) -> None:
    fold_weight_norm(dac)
    dac.requires_grad_(False)
    expected = dac.decoder(dac.encoder(sound()))[..., 2048:-2048]
    encoder, decoder = (
        to_channels_last(all_but_banks_to(folded(part, torch.bfloat16), torch.bfloat16))
        for part in (dac.encoder.block, dac.decoder.model)
    )
    latents = encoder(to_image(sound(), torch.float32))
    assert latents.dtype == torch.float32
    output = decoder(latents.to(torch.bfloat16))
    assert output.dtype == torch.float32
    assert ratio_db(expected, output[:, :, 0, 2048:-2048]) > 35
