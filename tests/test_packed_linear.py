"""Packed layers compute what the plain ones do."""

import pytest
import torch
from torch import nn

from model.packed_linear import GeluLinear, PackedLinear, pack

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")


@pytest.mark.parametrize("kind", [nn.Linear, GeluLinear])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 74), (2, 5), (3,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_packing_changes_no_result(
    kind: type[nn.Linear], bias: bool, shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    if dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("the CPU does not multiply bf16")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Sequential(kind(32, 48, bias=bias))).to(dtype)
    x = torch.randn(*shape, 32).to(dtype)
    expected = network(x)
    pack(network)
    assert isinstance(network[0].get_submodule("0"), PackedLinear)
    tolerance = 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(network(x), expected, rtol=tolerance, atol=tolerance)
