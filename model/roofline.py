"""The least time in which a machine can do some work, by the bytes it moves and the operations it takes.

That is the roofline model (Williams, Waterman and Patterson 2009). Counted is what no clever kernel can leave
out: matrix products, convolutions and attention, with what each reads and writes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

COPIED_BYTES = 2**28  # more than any cache holds
MATRIX_ROWS = {"cpu": 1024, "cuda": 8192}
ATTEMPTS = 5


@dataclass(frozen=True)
class Speed:
    """What a device moves and computes at best."""

    bytes_per_second: float
    operations_per_second: float


class Work(TorchDispatchMode):
    """Counts the bytes and operations of what runs while the context is open."""

    def __init__(self) -> None:
        super().__init__()
        self.moved_bytes = self.operations = 0

    def __torch_dispatch__(
        self,
        function: Any,
        types: object,
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        result = function(*arguments, **(named or {}))
        count = _COUNTS.get(function.overloadpacket)
        if count is not None:
            self.operations += count(*arguments, **(named or {}), out_val=result)
            tensors = [value for value in tree_leaves((arguments, result)) if isinstance(value, Tensor)]
            self.moved_bytes += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return result

    def least_seconds(self, speed: Speed) -> float:
        """The floor under the time that the work takes."""
        return max(self.moved_bytes / speed.bytes_per_second, self.operations / speed.operations_per_second)


def measure_speed(device: torch.device, dtype: torch.dtype) -> Speed:
    """Copy much, and multiply large matrices of `dtype`, as fast as `device` can."""
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    rows = MATRIX_ROWS[device.type]
    matrix = torch.ones(rows, rows, dtype=dtype, device=device)
    return Speed(
        bytes_per_second=2 * COPIED_BYTES / _seconds(lambda: target.copy_(source), device),
        operations_per_second=2 * rows**3 / _seconds(lambda: matrix @ matrix, device),
    )


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Of the fastest of a few attempts after a first one, in which libraries set themselves up."""
    return min([_once(work, device) for _ in range(1 + ATTEMPTS)][1:])


def _once(work: Callable[[], object], device: torch.device) -> float:
    started = perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return perf_counter() - started


def _linear(x: Tensor, weight: Tensor, *arguments: object, out_val: Tensor) -> int:
    return 2 * x.numel() * weight.shape[0]


def _convolution(x: Tensor, *arguments: object, out_val: Tensor) -> int:
    images = [value for value in arguments if isinstance(value, Tensor) and value.ndim == 4]
    weight = images[-1]  # after what is added, if anything is
    return 2 * out_val.numel() * weight.shape[1:].numel()


def _transposed(x: Tensor, weight: Tensor, *arguments: object, out_val: Tensor) -> int:
    return 2 * x.numel() * weight.numel() // x.shape[1]


def _attention(query: Tensor, key: Tensor, value: Tensor, *arguments: object, **named: object) -> int:
    count: int = sdpa_flop_count(query.shape, key.shape, value.shape)
    return count


_COUNTS: dict[Any, Callable[..., int]] = flop_registry | {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention
}
if torch.backends.mkldnn.is_available():
    _COUNTS |= {
        torch.ops.mkldnn._linear_pointwise: _linear,
        torch.ops.mkldnn._convolution_pointwise: _convolution,
        torch.ops.mkldnn._convolution_transpose_pointwise: _transposed,
    }
