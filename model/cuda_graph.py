"""CUDA graphs: what a pass of the model launches, hundreds of small kernels, launched as one.

`MASKSR_CUDA_GRAPHS=0` in the environment turns them off.
"""

import os
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

SWITCH = "MASKSR_CUDA_GRAPHS"
Call = Callable[..., Tensor]  # of a key, a function of tensors and its inputs
WARM_UP_CALLS = 3  # in which libraries choose their kernels and take their memory


def call_eagerly(key: Hashable, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """What `GraphedCalls` does where there are no graphs."""
    return function(*inputs)


class GraphedCalls:
    """Calls functions of tensors by replaying graphs, one for each key and shapes of inputs.

    A graph is captured when it is first needed, by the one thread that uses the object. Where none
    can be captured, as on a CPU, functions are called eagerly. The next call overwrites a result.
    """

    def __init__(self, device: torch.device) -> None:
        self._enabled = device.type == "cuda" and os.environ.get(SWITCH) != "0"
        self._graphs: dict[Hashable, _Graph] = {}

    def __call__(self, key: Hashable, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """`function(*inputs)`; `key` stands for everything else that the result depends on."""
        if not self._enabled:
            return call_eagerly(key, function, *inputs)
        key = (key, *((value.shape, value.dtype) for value in inputs))
        if key not in self._graphs:
            try:
                self._graphs[key] = _Graph(function, inputs)
            except torch.cuda.OutOfMemoryError:
                raise
            except RuntimeError:  # something in it cannot be captured
                self._enabled = False
                return call_eagerly(key, function, *inputs)
        return self._graphs[key].replay(inputs)


class _Graph:
    def __init__(self, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> None:
        self._inputs = [value.clone() for value in inputs]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_CALLS):
                function(*self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        # Other threads may allocate or synchronise meanwhile.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._output = function(*self._inputs)

    def replay(self, inputs: tuple[Tensor, ...]) -> Tensor:
        for static, value in zip(self._inputs, inputs, strict=True):
            static.copy_(value)
        self._graph.replay()
        return self._output
