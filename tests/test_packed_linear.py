"""Packed layers compute what the plain ones do."""

import pytest
import torch
from torch import nn

from model.packed_linear import GeluLinear, PackedLinear, pack
from model.training import device_and_dtype

needs_bf16 = pytest.mark.skipif(
    device_and_dtype() != (torch.device("cpu"), torch.bfloat16), reason="the CPU does not multiply bf16"
)


@needs_bf16
@pytest.mark.parametrize("kind", [nn.Linear, GeluLinear])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 74), (2, 5), (3,)])
@torch.no_grad()
def test_packing_changes_no_result(kind: type[nn.Linear], bias: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Sequential(kind(32, 48, bias=bias))).bfloat16()
    x = torch.randn(*shape, 32).bfloat16()
    expected = network(x)
    pack(network)
    assert isinstance(network[0].get_submodule("0"), PackedLinear)
    torch.testing.assert_close(network(x), expected, rtol=2**-7, atol=2**-7)


def test_float32_layers_stay_as_they_are() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.GELU())
    pack(network)
    assert isinstance(network[0], nn.Linear)
