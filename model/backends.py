"""Ways to compute a network on the processor, for `model.candidates` to measure.

Each takes the network and what it is given, and returns what computes it once more. Those that need packages
which the program does without raise ImportError.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.packed_linear import GeluLinear, pack

Inputs = tuple[Tensor, ...]
Run = Callable[[], Sequence[Tensor]]
Backend = Callable[[nn.Module, Inputs], Run]


def eager(network: nn.Module, inputs: Inputs) -> Run:
    """As PyTorch calls it, layer by layer."""
    return partial(network, *inputs)


def compiled(network: nn.Module, inputs: Inputs) -> Run:
    """With torch.compile. Raises RuntimeError where there is no C++ compiler, as does `compiled_ahead`."""
    run = partial(torch.compile(network), *inputs)
    with torch._inductor.config.patch(freezing=True):
        run()
    return run


def compiled_ahead(network: nn.Module, inputs: Inputs) -> Run:
    """With AOTInductor."""
    from torch._inductor import aoti_compile_and_package, aoti_load_package

    with TemporaryDirectory() as folder:
        exported = torch.export.export(network, inputs)
        path = str(Path(folder) / "network.pt2")
        aoti_compile_and_package(exported, package_path=path, inductor_configs={"freezing": True})
        return partial(aoti_load_package(path), *inputs)


def int8(network: nn.Module, inputs: Inputs) -> Run:
    """With PyTorch's dynamic quantisation of linear layers."""
    pack(network, _Int8Linear)
    return partial(network, *inputs)


class _CodedLinear(nn.Module):
    """A linear layer whose weights are int8 codes and a scale for each output."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        self.scale = weight.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
        self.codes = (weight / self.scale).round().to(torch.int8)
        self.weight, self.bias = linear.weight, linear.bias
        self._is_gelu = isinstance(linear, GeluLinear)

    def forward(self, x: Tensor) -> Tensor:
        output = self._multiply(x)
        return F.gelu(output, approximate="tanh") if self._is_gelu else output

    def _multiply(self, x: Tensor) -> Tensor:
        return F.linear(x, self.codes.to(x.dtype) * self.scale, self.bias)


class _Int8Linear(_CodedLinear):
    """Multiplies int8 by int8, by a scale that it finds for every input."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__(linear)
        scale, zeros = self.scale[:, 0].double(), torch.zeros(len(self.scale), dtype=torch.int64)
        weight = torch.quantize_per_channel(self.weight.detach(), scale, zeros, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(weight, self.bias)

    def _multiply(self, x: Tensor) -> Tensor:
        output: Tensor = torch.ops.quantized.linear_dynamic(x, self._packed)
        return output


def onnx(network: nn.Module, inputs: Inputs, *, is_int8: bool = False) -> Run:
    """With ONNX Runtime; int8 is its dynamic quantisation of linear layers."""
    import onnxruntime
    import onnxscript  # noqa: F401  torch exports by it

    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(network, inputs, path, dynamo=True, external_data=False, verbose=False)
        if is_int8:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            quantize_dynamic(path, path, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    arrays = dict(zip(names, (each.numpy() for each in inputs), strict=True))
    return lambda: [torch.from_numpy(each) for each in session.run(None, arrays)]


def openvino(network: nn.Module, inputs: Inputs, *, precision: str, is_int8: bool = False) -> Run:
    """With OpenVINO, computing in `precision`; int8 are linear layers, which it quantises dynamically."""
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    if is_int8:
        pack(network, _CodedLinear)
    decoder = TorchScriptPythonDecoder(network, example_input=inputs)  # `convert_model` would report its use
    frontend = FrontEndManager().load_by_framework("pytorch")
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 64 if is_int8 else 0,
    }
    compiled = openvino.compile_model(frontend.convert(frontend.load(decoder)), "CPU", settings)
    request, arrays = compiled.create_infer_request(), [each.numpy() for each in inputs]
    return lambda: [torch.from_numpy(each) for each in request.infer(arrays, share_inputs=True).values()]
