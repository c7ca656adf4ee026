"""The fast layout computes what the stock layers do, forwards and backwards, and holds the same weights."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from model.channels_last import pack_weights, to_channels_last, to_image
from model.codec import build_dac, fold_weight_norm
from tests.codecs import small_codec

TINY = small_codec(codebooks=1)


def stock_and_fast(part: str) -> tuple[nn.Module, nn.Module]:
    """The encoder or decoder of two codecs with the same random weights, one of them converted."""
    torch.manual_seed(0)
    stock, fast = build_dac(TINY), build_dac(TINY)
    alphas = [parameter for name, parameter in stock.named_parameters() if "alpha" in name]
    for alpha in alphas:
        nn.init.uniform_(alpha, 0.5, 1.5)
    fast.load_state_dict(stock.state_dict())
    return getattr(stock, part), to_channels_last(getattr(fast, part))


def signal(part: str) -> Tensor:
    shape = (2, 1, 4 * 512) if part == "encoder" else (2, 8, 4)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("part", ["encoder", "decoder"])
@torch.no_grad()
def test_output_is_that_of_the_stock_layers(part: str) -> None:
    stock, fast = stock_and_fast(part)
    expected = stock(signal(part))
    image = fast(to_image(signal(part), torch.float32))
    assert image.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(image.squeeze(2), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_gradients_are_those_of_the_stock_layers(part: str) -> None:
    stock, fast = stock_and_fast(part)
    expected = gradients(stock, signal(part).requires_grad_(), stock)
    with torch.compiler.set_stance("force_eager"):  # compiling takes longer than all other tests
        actual = gradients(fast, signal(part).requires_grad_(), lambda x: fast(to_image(x, torch.float32)))
    assert actual.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(
            actual[name], gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max()), msg=name
        )


def gradients(network: nn.Module, x: Tensor, forward: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """Of the input and of every parameter, by name."""
    forward(x).square().sum().backward()
    found = {name: parameter.grad for name, parameter in network.named_parameters()} | {"input": x.grad}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def test_weights_keep_their_names_and_shapes() -> None:
    stock, fast = stock_and_fast("decoder")
    assert {n: v.shape for n, v in fast.state_dict().items()} == {
        n: v.shape for n, v in stock.state_dict().items()
    }
    stock.load_state_dict(fast.state_dict())


def test_an_image_of_one_channel_is_laid_out_as_the_others() -> None:
    for channels in (1, 8):
        image = to_image(torch.arange(2.0 * channels * 5).view(2, channels, 5), torch.float32)
        assert image.stride() == (5 * channels, 1, 5 * channels, channels)
        assert torch.equal(image.squeeze(2).flatten(), torch.arange(2.0 * channels * 5))


@torch.no_grad()
def test_inputs_of_many_lengths_take_turns() -> None:
    stock, fast = stock_and_fast("decoder")
    for network in (stock, fast):
        fold_weight_norm(network)
    pack_weights(fast)
    for frames in (4, 9, 4, 1, 2, 3, 5, 6, 9):
        latents = torch.randn(1, 8, frames, generator=torch.Generator().manual_seed(frames))
        expected, actual = stock(latents), fast(to_image(latents, torch.float32)).squeeze(2)
        torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
