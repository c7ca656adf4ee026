"""Looks over everything a live session needs, and says what to do about what is missing."""

import shutil
from collections.abc import Iterator
from time import perf_counter

from model.plan import SAMPLE_RATE_HZ
from model.translation import _
from realtime.audio_file import open_source, read_blocks
from realtime.checks import Finding, ProblemError, check, check_speed, examine_system
from realtime.demo import SAMPLE
from realtime.model_loader import load_model
from realtime.model_process import Load, LoadedModel, ModelOrder
from realtime.offline import restore_audio

MEASURED_SECONDS = 4


def examine(preset: str | None = None, load: Load = load_model) -> Iterator[Finding]:
    """Check one thing after the other; the last ones load the model and take some seconds."""
    yield from examine_system()
    yield check("graphics card", _graphics_card)
    loaded: list[LoadedModel] = []
    yield check("model", lambda: _load(preset, load, loaded))
    for model in loaded:
        yield check("speed", lambda model=model: check_speed(model.preset, _measure(model)))  # type: ignore[misc]


def _graphics_card() -> str:
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    if shutil.which("nvidia-smi") is not None:
        raise ProblemError(
            _(
                "This PyTorch cannot use the NVIDIA card; install the one that"
                " https://pytorch.org/get-started/locally/ names for your driver."
            )
        )
    return _("none, the processor restores")


def _load(preset: str | None, load: Load, loaded: list[LoadedModel]) -> str:
    model = load(ModelOrder(preset), lambda share: None)
    loaded.append(model)
    return _("preset {preset} on {device}", preset=model.preset, device=model.device)


def _measure(model: LoadedModel) -> float:
    """The share of the time there is that restoring a sample takes."""
    with open_source(SAMPLE) as source:
        sound = next(iter(read_blocks(source, MEASURED_SECONDS * SAMPLE_RATE_HZ))).mean(axis=1)
    restore_audio(model.restorer, sound[:SAMPLE_RATE_HZ])  # sets up what libraries put off until used
    started = perf_counter()
    restore_audio(model.restorer, sound)
    return (perf_counter() - started) * SAMPLE_RATE_HZ / len(sound)
