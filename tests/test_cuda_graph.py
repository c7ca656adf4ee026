"""Graphed calls give what plain ones give, with and without a graphics card."""

import pytest
import torch
from torch import Tensor

from model.cuda_graph import SWITCH, GraphedCalls

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


def test_graphs_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    calls, function = GraphedCalls(torch.device("cuda")), Counted()
    for count in (1, 2):
        calls("product", function, torch.ones(3, 3), torch.ones(3, 3))
        assert function.calls == count
