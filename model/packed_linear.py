"""Linear layers with their weights laid out as the CPU multiplies them.

oneDNN, PyTorch's library of CPU kernels, otherwise lays a weight out anew at every call.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GeluLinear(nn.Linear):
    """A linear layer and the tanh form of GELU."""

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(super().forward(x), approximate="tanh")


class PackedLinear(nn.Module):
    """Computes what an `nn.Linear` or `GeluLinear` does, on CPUs that oneDNN supports."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self.bias = None if linear.bias is None else linear.bias.detach()
        self._activation = "gelu" if isinstance(linear, GeluLinear) else "none"

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self.weight, self.bias, self._activation, [], "tanh"
        )
        return output


def pack(network: nn.Module, form: Callable[[nn.Linear], nn.Module] = PackedLinear) -> None:
    """Replace every linear layer within `network`, which is on the CPU and stays there, by its `form`."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Linear):
                setattr(parent, name, form(child))
