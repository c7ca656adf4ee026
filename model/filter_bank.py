"""The linear steps of a codec's encoder or decoder as one: a bank of filters, for a fraction of the cost."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FilterBank(nn.Module):
    """A convolution that several were folded to.

    It computes in float32, whatever it is given: rounding errors of loud bands would cover soft ones. Both
    signals [batch, channels, time] and images of them (`model.channels_last`) are computed as signals: laid
    out as an image, so long a kernel takes many times as long.
    """

    def __init__(self, convolution: nn.Conv1d | nn.ConvTranspose1d, dtype: torch.dtype) -> None:
        """`dtype` is that of the output."""
        super().__init__()
        self.convolution, self.dtype = convolution, dtype

    def forward(self, x: Tensor) -> Tensor:
        kind = nn.Conv1d if isinstance(self.convolution, nn.Conv1d) else nn.ConvTranspose1d
        output: Tensor = kind.forward(self.convolution, x.float().flatten(2))  # type: ignore[arg-type]
        return output.view(*output.shape[:2], *x.shape[2:-1], -1).to(self.dtype)


def folded(modules: Iterable[nn.Module], dtype: torch.dtype) -> nn.Sequential:
    """The steps of a `dac` encoder or decoder, in which convolutions that follow each other are one.

    Residual units that add nothing and snakes that bend nothing are left out, so that the filter banks of a
    transform codec fold to one convolution each. What learns is neither folded nor copied. The sound's very
    ends differ from those of the steps one by one, of which each takes what lies beyond for silence.

    Args:
        dtype: in which the other steps compute.
    """
    steps: list[nn.Module] = []
    for step in _elements(modules):
        last = steps[-1].convolution if steps and isinstance(steps[-1], FilterBank) else (steps or [step])[-1]
        if last is not step and (joined := _joined(last, step)) is not None:
            steps[-1] = FilterBank(joined, dtype)
        else:
            steps.append(step)
    with_weights = [step for step in steps if any(True for _ in step.parameters())]
    if isinstance(with_weights[-1], FilterBank):
        with_weights[-1].dtype = torch.float32
    return nn.Sequential(*steps)


def all_but_banks_to(steps: nn.Sequential, dtype: torch.dtype) -> nn.Sequential:
    """Have the other `steps` compute in `dtype`; return them."""
    for step in steps:
        if not isinstance(step, FilterBank):
            step.to(dtype)
    return steps


def _elements(modules: Iterable[Any]) -> Iterator[nn.Module]:
    for module in modules:
        if type(module).__name__ in ("EncoderBlock", "DecoderBlock"):
            yield from _elements(module.block)
        elif _learns(module) or not _is_idle(module):
            yield module


def _is_idle(module: Any) -> bool:
    """Whether it gives what it is given: a residual unit whose branch ends in zeros, or a straight snake."""
    if type(module).__name__ == "ResidualUnit":
        last = module.block[-1]
        return not getattr(last, "weight_g", last.weight).any()
    return type(module).__name__ == "Snake1d" and not module.alpha.any()


def _learns(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())


def _joined(first: nn.Module, second: nn.Module) -> nn.Conv1d | nn.ConvTranspose1d | None:
    """Both as one, if both are convolutions without bias that go the same way: down in rate, or up."""
    if not (_is_plain(first) and _is_plain(second)):
        return None
    if isinstance(second, nn.ConvTranspose1d):
        return _up(first, second) if isinstance(first, nn.ConvTranspose1d) else None
    assert isinstance(second, nn.Conv1d)
    if isinstance(first, nn.Conv1d):
        return _down(first, second)
    return _up(first, _turned(second)) if second.stride == (1,) else None  # type: ignore[arg-type]


def _is_plain(module: nn.Module) -> bool:
    if not isinstance(module, nn.Conv1d | nn.ConvTranspose1d) or _learns(module):
        return False
    return module.dilation == (1,) and (module.bias is None or not module.bias.any())


def _down(first: nn.Conv1d, second: nn.Conv1d) -> nn.Conv1d:
    weight = F.conv_transpose1d(weight_of(second), weight_of(first), stride=first.stride)
    padding = int(first.padding[0]) + int(second.padding[0]) * first.stride[0]
    weight, padding = _trimmed(weight, padding)
    joined = nn.Conv1d(
        weight.shape[1],
        weight.shape[0],
        weight.shape[2],
        first.stride[0] * second.stride[0],
        padding,
        bias=False,
    )
    joined.weight = nn.Parameter(weight, requires_grad=False)
    return joined


def _up(first: nn.ConvTranspose1d, second: nn.ConvTranspose1d) -> nn.ConvTranspose1d:
    weight = F.conv_transpose1d(weight_of(first), weight_of(second), stride=second.stride)
    padding = int(first.padding[0]) * second.stride[0] + int(second.padding[0])
    return _transposed(*_trimmed(weight, padding), first.stride[0] * second.stride[0])


def _turned(convolution: nn.Conv1d) -> nn.ConvTranspose1d:
    """A convolution that keeps the rate, as a transposed one."""
    weight = weight_of(convolution).transpose(0, 1).flip(2)
    return _transposed(weight, weight.shape[2] - 1 - int(convolution.padding[0]), 1)


def _transposed(weight: Tensor, padding: int, stride: int) -> nn.ConvTranspose1d:
    inputs, outputs, taps = weight.shape
    made = nn.ConvTranspose1d(inputs, outputs, taps, stride, padding, bias=False)
    made.weight = nn.Parameter(weight, requires_grad=False)
    return made


def weight_of(convolution: Any) -> Tensor:
    """A convolution's weight; with weight normalisation, what that will make at the next call."""
    if hasattr(convolution, "weight_g"):
        return torch._weight_norm(convolution.weight_v, convolution.weight_g, 0)
    weight: Tensor = convolution.weight
    return weight


def _trimmed(weight: Tensor, padding: int) -> tuple[Tensor, int]:
    """Without the outer taps on both sides that are zero in all kernels, as far as the padding allows."""
    taps = weight.detach().flatten(0, 1).any(0).nonzero().flatten()
    if len(taps) == 0:
        return weight, padding
    idle = min(int(taps[0]), weight.shape[2] - 1 - int(taps[-1]), padding)
    return weight[..., idle : weight.shape[2] - idle].contiguous(), padding - idle
