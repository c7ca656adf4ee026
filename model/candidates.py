"""Ways to compute the encode step, a hop's largest part, on the processor: `main.py bench --candidates`."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import torch
from torch import Tensor

from model import backends
from model.backends import Backend, Inputs, Run
from model.bundle import Bundle
from model.encode_layers import EncodeLayers, hop_inputs, packed, plain
from model.plan import WindowPlan
from model.training import cpu_and_dtype

IN_USE_DTYPE = cpu_and_dtype()[1]
REFERENCE = "float32, plain"
IN_USE = f"{'bf16' if IN_USE_DTYPE is torch.bfloat16 else 'float32'}, packed (in use)"
ROUNDS = 30


@dataclass(frozen=True)
class Cost:
    """Of one part: its fastest round, and its largest deviation as a share of the largest value."""

    ms: float
    deviation: float


@dataclass
class Result:
    """What each part costs, or why that is not known."""

    name: str
    parts: dict[str, Cost] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Candidate:
    """The form in which the layers are built, and what computes each part of them."""

    build: Callable[[Bundle], EncodeLayers]
    backend: Backend


CANDIDATES = {
    REFERENCE: Candidate(partial(plain, is_lean=False), backends.eager),
    "float32, packed": Candidate(partial(packed, dtype=torch.float32), backends.eager),
    IN_USE: Candidate(partial(packed, dtype=IN_USE_DTYPE), backends.eager),
    "int8, torch": Candidate(plain, backends.int8),
    "float32, torch.compile": Candidate(plain, backends.compiled),
    "bf16, torch.compile": Candidate(partial(plain, dtype=torch.bfloat16), backends.compiled),
    "bf16, AOTInductor": Candidate(partial(plain, dtype=torch.bfloat16), backends.compiled_ahead),
    "float32, ONNX Runtime": Candidate(plain, backends.onnx),
    "int8, ONNX Runtime": Candidate(plain, partial(backends.onnx, is_int8=True)),
    "float32, OpenVINO": Candidate(plain, partial(backends.openvino, precision="f32")),
    "bf16, OpenVINO": Candidate(plain, partial(backends.openvino, precision="bf16")),
    "int8, OpenVINO": Candidate(plain, partial(backends.openvino, precision="f32", is_int8=True)),
}


@torch.no_grad()
def measure(
    bundle: Bundle,
    plan: WindowPlan,
    noisy: Tensor,
    show: Callable[[float, str], None],
    candidates: Mapping[str, Candidate] = CANDIDATES,
) -> list[Result]:
    """Measure `candidates`, REFERENCE among them, at hearing the window `noisy`, float32 [1, window_samples].

    `show` is told the share that is done and what comes next.
    """
    first_frame, inputs = hop_inputs(bundle, plan, noisy)
    results = {name: Result(name) for name in candidates}
    runs: dict[str, dict[str, Run]] = {}
    for place, (name, candidate) in enumerate(candidates.items()):
        show(place / len(candidates), name)
        try:
            with _quiet():
                runs[name] = _prepare(candidate, bundle, first_frame, inputs)
        except ImportError as error:
            results[name].problem = f"{error.name} is not installed"
        except RuntimeError as error:  # torch.compile, where there is no compiler
            results[name].problem = f"fails here ({type(error).__name__})"
    for part in inputs:
        expected = runs[REFERENCE][part]()
        fastest = _fastest_ms({name: parts[part] for name, parts in runs.items()})
        for name in runs:
            results[name].parts[part] = Cost(fastest[name], _deviation(expected, runs[name][part]()))
    show(1.0, "")
    return list(results.values())


def _prepare(
    candidate: Candidate, bundle: Bundle, first_frame: int, inputs: dict[str, Inputs]
) -> dict[str, Run]:
    parts = candidate.build(bundle).parts(first_frame)
    runs = {part: candidate.backend(parts[part].eval(), inputs[part]) for part in inputs}
    for run in runs.values():
        run()
    return runs


@contextmanager
def _quiet() -> Iterator[None]:
    """What exporters and compilers have to say is for those who work on them."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _fastest_ms(runs: Mapping[str, Run]) -> dict[str, float]:
    """Taking turns, so that whatever else the machine does hits all alike."""
    fastest = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            started = perf_counter()
            run()
            fastest[name] = min(fastest[name], 1000 * (perf_counter() - started))
    return fastest


def _deviation(expected: Sequence[Tensor], actual: Sequence[Tensor]) -> float:
    pairs = zip(expected, actual, strict=True)
    return max(float((a.float() - e).abs().max() / e.abs().max()) for e, a in pairs)


def to_table(results: Sequence[Result]) -> str:
    """All figures as text; each ratio is to what is in use."""
    (in_use,) = (result for result in results if result.name == IN_USE)
    lines = [
        f"{'ms of a hop, fastest':26}"
        + "".join(f"{part:>14} {'ratio':>6} {'deviation':>10}" for part in in_use.parts)
    ]
    for result in results:
        lines.append(f"{result.name:26}" + (result.problem or ""))
        for part, cost in result.parts.items():
            ratio = cost.ms / in_use.parts[part].ms
            lines[-1] += f"{cost.ms:14.2f} {ratio:6.2f} {cost.deviation:10.4f}"
    return "\n".join(lines)
