"""DAC's 1-D layers run as channels-last 2-D ones, the layout in which CPUs multiply bf16 fast.

`to_channels_last` changes how the layers of a `dac` encoder or decoder compute, not what they hold:
parameters keep their names and shapes, so state dicts stay interchangeable with the stock class.
Afterwards the network takes and returns tensors of shape [batch, channels, 1, time], made with `to_image`.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Network = TypeVar("Network", bound=nn.Module)

_MOST_LAYOUTS = 4  # a stream has two: its first window's, and that of all others


class _Conv(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        dtype = torch.float32 if _is_risky(self) else x.dtype
        weight = self.weight.to(dtype).unsqueeze(2)
        bias = None if self.bias is None else self.bias.to(dtype)
        stride, padding, dilation = (1, *self.stride), (0, *self.padding), (1, *self.dilation)
        return F.conv2d(x.to(dtype), weight, bias, stride, padding, dilation, self.groups).to(x.dtype)


class _ConvTranspose(nn.ConvTranspose1d):
    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        weight = self.weight.to(x.dtype).unsqueeze(2)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.conv_transpose2d(x, weight, bias, (1, *self.stride), (0, *self.padding))


class Layouts(dict[torch.Size, Tensor]):
    """Weights laid out for inputs of several shapes; as for another, they take many times as long."""

    def of(self, shape: torch.Size, lay_out: Callable[[], Tensor]) -> Tensor:
        if shape not in self:
            if len(self) == _MOST_LAYOUTS:
                self.clear()
            self[shape] = lay_out()
        return self[shape]


class _PackedConv(_Conv):
    layouts: Layouts

    def forward(self, x: Tensor) -> Tensor:
        stride, padding, dilation = (1, *self.stride), (0, *self.padding), (1, *self.dilation)
        packed = self.layouts.of(
            x.shape,
            lambda: torch.ops.mkldnn._reorder_convolution_weight(
                self.weight.unsqueeze(2), padding, stride, dilation, self.groups, x.shape
            ),
        )
        output: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, packed, self.bias, padding, stride, dilation, self.groups, "none", [], ""
        )
        return output


class _PackedConvTranspose(_ConvTranspose):
    layouts: Layouts

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        stride, padding = (1, *self.stride), (0, *self.padding)
        packed = self.layouts.of(
            x.shape,
            lambda: torch.ops.mkldnn._reorder_convolution_transpose_weight(
                self.weight.unsqueeze(2), padding, (0, 0), stride, (1, 1), 1, x.shape
            ),
        )
        output: Tensor = torch.ops.mkldnn._convolution_transpose_pointwise(
            x, packed, self.bias, padding, (0, 0), stride, (1, 1), 1, "none", [], ""
        )
        return output


class _Snake(nn.Module):
    alpha: Tensor

    def forward(self, x: Tensor) -> Tensor:
        alpha = self.alpha.unsqueeze(2)
        if torch.is_grad_enabled():
            return _SnakeFunction.apply(x, alpha)
        alpha = alpha.to(x.dtype)
        sine = (x * alpha).sin_()
        return torch.addcmul(x, sine.mul_(sine), (alpha + 1e-9).reciprocal())


def _snake_forward(x: Tensor, alpha: Tensor) -> Tensor:
    sine = torch.sin(alpha * x.float())
    return (x.float() + sine * sine / (alpha + 1e-9)).to(x.dtype)


def _snake_backward(x: Tensor, alpha: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    value, slope = x.float(), gradient.float()
    double = torch.sin(2 * alpha * value)
    sine_squared = (1 - torch.cos(2 * alpha * value)) / 2
    alpha_gradient = slope * (value * double / alpha - sine_squared / (alpha * alpha))
    return (slope * (1 + double)).to(x.dtype), alpha_gradient.sum((0, 2, 3), keepdim=True)


@functools.cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiling is for training: its machinery takes seconds to import."""
    return torch.compile(function, dynamic=True)


class _SnakeFunction(torch.autograd.Function):
    """x + sin(alpha x)^2 / alpha in one pass over memory each way, keeping only x for the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor) -> Tensor:
        ctx.save_for_backward(x, alpha)
        return _compiled(_snake_forward)(x, alpha)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, alpha = ctx.saved_tensors
        return _compiled(_snake_backward)(x, alpha, gradient)


def to_image(signal: Tensor, dtype: torch.dtype) -> Tensor:
    """[batch, channels, time] to a channels-last [batch, channels, 1, time]."""
    # A plain `contiguous` leaves the strides of a one-channel image as they are: all layers then run slowly.
    return torch.empty_strided(
        (*signal.shape[:2], 1, signal.shape[2]),
        (signal.shape[1] * signal.shape[2], 1, signal.shape[1] * signal.shape[2], signal.shape[1]),
        dtype=dtype,
        device=signal.device,
    ).copy_(signal.unsqueeze(2))


def _is_risky(layer: nn.Conv1d) -> bool:
    """Of such strides, oneDNN's bf16 kernels for AMX make noise."""
    return layer.stride[0] > 3


def to_channels_last(network: Network) -> Network:
    """Switch every Conv1d, ConvTranspose1d and Snake1d of `network` in place, and return it."""
    for module in network.modules():
        if isinstance(module, nn.Conv1d):
            module.__class__ = _Conv
        elif isinstance(module, nn.ConvTranspose1d):
            module.__class__ = _ConvTranspose
        elif type(module).__name__ == "Snake1d":
            module.__class__ = _Snake
    return network


def pack_weights(network: nn.Module) -> None:
    """Have weights laid out once as oneDNN multiplies them, which it otherwise does at every call.

    `network` is on the CPU, switched to channels-last, and learns no more.
    """
    for module in network.modules():
        if (type(module) is _Conv and not _is_risky(module)) or type(module) is _ConvTranspose:
            module.__class__ = _PackedConv if type(module) is _Conv else _PackedConvTranspose
            module.layouts = Layouts()  # type: ignore[assignment]
