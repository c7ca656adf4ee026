"""Graphed calls give what plain ones give, with and without a graphics card."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from model.arrays import FloatArray
from model.cuda_graph import SWITCH, GraphedCalls
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, Sampling, WindowPlan
from tests.signals import noise, windows

PLAN = WindowPlan(context_frames=12, hop_frames=4, lookahead_frames=3, fade_samples=441)

CUDA = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))


class Counted:
    """A function that counts how often Python runs it."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        self.calls += 1
        return x @ y + x


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("size", [3, 5])
def test_results_are_those_of_the_function(device: str, size: int) -> None:
    calls, function = GraphedCalls(torch.device(device)), Counted()
    for seed in range(4):
        x, y = torch.randn(2, size, size, generator=torch.Generator().manual_seed(seed)).to(device)
        torch.testing.assert_close(calls("product", function, x, y), x @ y + x)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")
def test_a_graph_is_replayed_and_not_run_again() -> None:
    calls, function = GraphedCalls(torch.device("cuda")), Counted()
    x = torch.ones(3, 3, device="cuda")
    calls("product", function, x, x)
    captured = function.calls
    calls("product", function, x, x)
    assert function.calls == captured


def test_what_cannot_be_captured_is_called_eagerly_from_then_on() -> None:
    calls, function = GraphedCalls(torch.device("cuda")), Counted()

    def synchronising(x: Tensor, y: Tensor) -> Tensor:
        return function(x, y) * float(x.sum())  # no graph can hold what the CPU must wait for

    device = "cuda" if torch.cuda.is_available() else "cpu"  # without CUDA, nothing at all can be captured
    x = torch.ones(3, 3, device=device)
    for _ in range(2):
        before = function.calls
        torch.testing.assert_close(calls("product", synchronising, x, x), (x @ x + x) * 9)
        assert function.calls > before


class Stream:
    def wait_stream(self, other: "Stream") -> None: ...


class Streams:
    """Those of a card that can capture nothing, as torch has them: one is the current one."""

    def __init__(self) -> None:
        self.first = self.current = Stream()

    @contextmanager
    def stream(self, stream: Stream) -> Iterator[None]:
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def graph(self, graph: object, capture_error_mode: str) -> Iterator[None]:
        self.current = Stream()
        yield
        raise torch.AcceleratorError("CUDA error: operation failed due to a previous error during capture")


def test_a_capture_that_fails_leaves_the_stream_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams()
    monkeypatch.setattr("torch.cuda.Stream", Stream)
    monkeypatch.setattr("torch.cuda.CUDAGraph", object)
    monkeypatch.setattr("torch.cuda.current_stream", lambda: streams.current)
    monkeypatch.setattr("torch.cuda.stream", streams.stream)
    monkeypatch.setattr("torch.cuda.graph", streams.graph)
    x = torch.ones(3, 3)
    torch.testing.assert_close(GraphedCalls(torch.device("cuda"))("product", Counted(), x, x), x @ x + x)
    assert streams.current is streams.first


def test_graphs_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    calls, function = GraphedCalls(torch.device("cuda")), Counted()
    for count in (1, 2):
        calls("product", function, torch.ones(3, 3), torch.ones(3, 3))
        assert function.calls == count


def test_a_full_card_is_not_taken_for_what_cannot_be_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_the_card(*arguments: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("model.cuda_graph._Graph", fill_the_card)
    with pytest.raises(torch.OutOfMemoryError):
        GraphedCalls(torch.device("cuda"))("product", Counted(), torch.ones(3, 3), torch.ones(3, 3))


class GraphOnProcessor:
    """As rigid as a graph: it knows no function and no tensors but those that it was captured with."""

    def __init__(self, function: Callable[..., Any], inputs: tuple[Tensor, ...]) -> None:
        self._function, self._inputs = function, [value.clone() for value in inputs]
        self._output = function(*self._inputs)

    def replay(self, inputs: tuple[Tensor, ...]) -> Any:
        for static, value in zip(self._inputs, inputs, strict=True):
            static.copy_(value)
        for static, value in zip(
            tree_leaves(self._output), tree_leaves(self._function(*self._inputs)), strict=True
        ):
            static.copy_(value)
        return self._output


@pytest.mark.parametrize("guidance", [0.0, 1.5])
@pytest.mark.parametrize("sampling", ["rolling", "restarting"])
def test_a_stream_asks_of_graphs_what_graphs_can_do(
    model: MaskSR, guidance: float, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.cuda_graph._Graph", GraphOnProcessor)

    def restored(with_graphs: bool) -> list[FloatArray]:
        stream = model.stream(PLAN, sampling=sampling, passes=2, guidance=guidance, temperature=1.0)
        stream.graphs.enabled = with_graphs
        hops = []
        for passes in (2, 1):
            stream.reset()
            stream.passes = passes
            hops += [stream.restore_window(w).copy() for w in windows(noise(24 * FRAME_SAMPLES), PLAN)]
        return hops

    np.testing.assert_array_equal(restored(with_graphs=True), restored(with_graphs=False))
