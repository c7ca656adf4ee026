"""CUDA graphs: what a part of the model launches, hundreds of small kernels, launched as one.

`MASKSR_CUDA_GRAPHS=0` in the environment turns them off.
"""

import os
from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

SWITCH = "MASKSR_CUDA_GRAPHS"
WARM_UP_CALLS = 3  # in which libraries choose their kernels and take their memory
Result = TypeVar("Result")


class Call(Protocol):
    """Calls a function of tensors; `key` stands for everything else that the result depends on."""

    def __call__(self, key: Hashable, function: Callable[..., Result], *inputs: Tensor) -> Result: ...


def call_eagerly(key: Hashable, function: Callable[..., Result], *inputs: Tensor) -> Result:
    """What `GraphedCalls` does where there are no graphs."""
    return function(*inputs)


class GraphedCalls:
    """Calls functions of tensors by replaying graphs, one for each key and shapes of inputs.

    A graph is captured when it is first needed, by the one thread that uses the object. What cannot be
    captured, as nothing can on a CPU, is called eagerly, and so is everything while not `enabled`. The next
    call overwrites a result.
    """

    def __init__(self, device: torch.device) -> None:
        self.enabled = device.type == "cuda" and os.environ.get(SWITCH) != "0"
        self._graphs: dict[Hashable, _Graph | None] = {}

    def __call__(self, key: Hashable, function: Callable[..., Result], *inputs: Tensor) -> Result:
        """`function(*inputs)`, as `Call` has it."""
        if not self.enabled:
            return function(*inputs)
        key = (key, *((value.shape, value.dtype) for value in inputs))
        if key not in self._graphs:
            self._graphs[key] = _capture(function, inputs)
        graph = self._graphs[key]
        result: Result = function(*inputs) if graph is None else graph.replay(inputs)
        return result


def _capture(function: Callable[..., object], inputs: tuple[Tensor, ...]) -> "_Graph | None":
    try:
        return _Graph(function, inputs)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # something in it cannot be captured
        return None


class _Graph:
    def __init__(self, function: Callable[..., Any], inputs: tuple[Tensor, ...]) -> None:
        self._inputs = [value.clone() for value in inputs]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_CALLS):
                function(*self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        as_before = torch.cuda.stream(torch.cuda.current_stream())  # a capture that fails leaves its own
        # Other threads may allocate or synchronise meanwhile.
        with as_before, torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._output = function(*self._inputs)

    def replay(self, inputs: tuple[Tensor, ...]) -> Any:
        for static, value in zip(self._inputs, inputs, strict=True):
            static.copy_(value)
        self._graph.replay()
        return self._output
