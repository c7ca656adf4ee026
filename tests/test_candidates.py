"""Ways to compute the encode step are measured beside each other, and missing ones say so."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from main import main
from model import backends
from model.backends import Inputs, Run
from model.bundle import Bundle
from model.candidates import CANDIDATES, IN_USE, REFERENCE, Candidate, measure, to_table
from model.encode_layers import hop_inputs, packed, plain
from model.hearing import Hearing
from model.masksr import MaskSR
from model.plan import WindowPlan
from tests.signals import noise

PLAN = WindowPlan(context_frames=24, hop_frames=8, lookahead_frames=4, fade_samples=441)
NOISY = torch.from_numpy(noise(PLAN.window_samples))[None]
FORMS = {name: CANDIDATES[name] for name in (REFERENCE, "float32, packed", IN_USE, "int8, torch")}


def fail(network: torch.nn.Module, inputs: Inputs) -> Run:
    raise RuntimeError("no compiler")


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return Bundle.load(tiny_bundle)


def test_each_form_computes_what_the_plain_one_does(bundle: Bundle) -> None:
    results = {result.name: result for result in measure(bundle, PLAN, NOISY, lambda *_: None, FORMS)}
    assert list(results) == list(FORMS)
    tolerances = {REFERENCE: 0.0, "float32, packed": 1e-4, IN_USE: 0.05, "int8, torch": 0.1}
    for name, tolerance in tolerances.items():
        assert set(results[name].parts) == {"transformer", "other layers"}
        for cost in results[name].parts.values():
            assert cost.ms > 0
            assert cost.deviation <= tolerance


def test_the_layers_are_given_what_a_hop_gives_them(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hop that follows another hears by them, with the Fourier transforms between."""
    model = MaskSR.from_bundle(bundle, torch.device("cpu"), torch.float32)
    seen: dict[str, list[tuple[int, ...]]] = {"transformer": [], "latents": []}
    encoder, latents = model.language_model.speech_encoder, model.codec.latents
    encoder.transformer.register_forward_pre_hook(
        lambda module, given: seen["transformer"].append((*given[0].shape, given[1]))
    )

    def watched_latents(audio: Tensor) -> Tensor:
        seen["latents"].append(audio.shape)
        return latents(audio)

    monkeypatch.setattr(model.codec, "latents", watched_latents)
    hearing = Hearing(model.language_model, model.codec, PLAN, 0)
    with torch.no_grad():
        for _ in range(2):
            hearing.next_window(NOISY[0].numpy())
        first_frame, inputs = hop_inputs(bundle, PLAN, NOISY)
    assert seen["transformer"][-1] == (*inputs["transformer"][0].shape, first_frame)
    assert seen["latents"][-1] == inputs["other layers"][-1].shape


def test_what_cannot_be_measured_says_why(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    candidates = {
        REFERENCE: CANDIDATES[REFERENCE],
        IN_USE: Candidate(partial(packed, dtype=torch.float32), backends.eager),
        "missing": CANDIDATES["float32, OpenVINO"],
        "failing": Candidate(plain, fail),
    }
    table = to_table(measure(bundle, PLAN, NOISY, lambda *_: None, candidates)).splitlines()
    assert table[2].split()[-5] == table[2].split()[-2] == "1.00"
    assert table[3].split(maxsplit=1) == ["missing", "openvino is not installed"]
    assert table[4].split(maxsplit=1) == ["failing", "fails here (RuntimeError)"]


def test_bench_prints_every_candidate(
    tiny_preset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("model.candidates.measure", partial(measure, candidates=FORMS))
    assert main(["bench", "--candidates", "--preset", str(tiny_preset), "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == list(FORMS)
