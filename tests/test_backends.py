"""Every way to compute a network computes that network."""

from functools import partial

import pytest
import torch
from torch import nn

from model.backends import Backend, compiled, compiled_ahead, eager, int8, onnx, openvino
from model.packed_linear import GeluLinear

BACKENDS = {
    "eager": (eager, 0.0),
    "compiled": (compiled, 1e-5),
    "compiled_ahead": (compiled_ahead, 1e-5),
    "int8": (int8, 0.05),
    "onnx": (onnx, 1e-5),
    "onnx_int8": (partial(onnx, is_int8=True), 0.05),
    "openvino": (partial(openvino, precision="f32"), 1e-5),
    "openvino_bf16": (partial(openvino, precision="bf16"), 0.05),
    "openvino_int8": (partial(openvino, precision="f32", is_int8=True), 0.05),
}


class Pair(nn.Module):
    """Gives two tensors for two."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(GeluLinear(64, 128), nn.Linear(128, 64))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.layers(x), self.layers(x + y)


@torch.no_grad()
@pytest.mark.filterwarnings("ignore")  # of what exporters will once do otherwise
@pytest.mark.parametrize(("backend", "tolerance"), BACKENDS.values(), ids=BACKENDS)
def test_a_backend_computes_the_network(backend: Backend, tolerance: float) -> None:
    torch.manual_seed(0)
    network, inputs = Pair().eval().requires_grad_(False), (torch.randn(1, 9, 64), torch.randn(1, 9, 64))
    expected = network(*inputs)
    try:
        run = backend(network, inputs)
    except ImportError as error:
        pytest.skip(f"{error.name} is not installed")
    for _ in range(2):
        for wanted, actual in zip(expected, run(), strict=True):
            assert (wanted - actual).abs().max() <= tolerance * wanted.abs().max()
