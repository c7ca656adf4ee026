"""Loads the model that the user chose, or the best that this machine keeps up with."""

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from model.errors import GraphicsCardError
from model.plan import SAMPLE_RATE_HZ
from presets.preset import Preset, load_preset
from realtime.model_process import LoadedModel, ModelOrder
from realtime.ring import Samples
from realtime.threads import leave_room

if TYPE_CHECKING:
    from model.masksr import MaskSR, RestorerStream

LIVE_PRESETS = ("call", "cpu")  # less delay first; the others have more of it and compute no less
TRIAL_HOPS = 3
COMFORTABLE_LOAD = 0.6  # of the time there is; the rest is for everything else that runs on the machine


def load_model(order: ModelOrder, on_progress: Callable[[float], None]) -> LoadedModel:
    """Load what `order` says; `on_progress` gets the share that is done, 0 to 1.

    Raises PresetError and BundleError, and GraphicsCardError where the model fits and its work does not.
    """
    wanted = {"passes": order.passes, "lookahead_frames": order.lookahead_frames}
    changes = {name: value for name, value in wanted.items() if value is not None}
    preset = load_preset(order.preset or LIVE_PRESETS[-1], **changes)
    on_progress(0.1)
    from model.bundle import bundle_folder
    from model.masksr import MaskSR
    from model.training import device_and_dtype

    on_progress(0.5)
    leave_room()
    model = MaskSR.load(bundle_folder(preset.bundle), on_cpu=order.on_cpu)
    on_progress(0.8)
    if order.preset is None:
        preset = _fastest_that_keeps_up(model, changes)
    restorer = model.stream(preset.plan, **preset.stream_settings)
    _warm_up(restorer)
    is_without_card = order.on_cpu or model.device.type != device_and_dtype()[0].type
    notice = GraphicsCardError().notice if is_without_card else None
    return LoadedModel(restorer, preset.name, _name_of_device(model), notice)


def load_with_preset(
    choice: str | None, *, on_cpu: bool = False, reference: bool = False, **changes: object
) -> "tuple[Preset, MaskSR]":
    """The preset that the user chose, or else what fits the kind of machine, with `changes`; and its model.

    As `reference`, the model is in its plain form, `model.reference`. Raises PresetError and BundleError.
    """
    from model.bundle import bundle_folder
    from model.masksr import MaskSR
    from model.reference import load_reference
    from model.training import device_and_dtype

    fitting = "balanced" if device_and_dtype()[0].type == "cuda" else "cpu"
    preset = load_preset(choice or fitting, **changes)
    load = load_reference if reference else MaskSR.load
    return preset, load(bundle_folder(preset.bundle), on_cpu=on_cpu)


def _fastest_that_keeps_up(model: "MaskSR", changes: dict[str, int]) -> Preset:
    presets = [load_preset(name, **changes) for name in LIVE_PRESETS]
    for preset in presets[:-1]:
        if _keeps_up(model, preset):
            return preset
    return presets[-1]


def _keeps_up(model: "MaskSR", preset: Preset) -> bool:
    """Whether each of a few hops takes a comfortable share of its duration."""
    restorer = model.stream(preset.plan, **preset.stream_settings)
    _warm_up(restorer)
    silence = np.zeros(preset.plan.window_samples, np.float32)
    comfortable_seconds = COMFORTABLE_LOAD * preset.plan.hop_samples / SAMPLE_RATE_HZ
    return all(_hop_seconds(restorer, silence) < comfortable_seconds for _ in range(TRIAL_HOPS))


def _warm_up(restorer: "RestorerStream") -> None:
    """Set up what libraries put off until used: the first window of a stream asks for more than the next."""
    for _ in range(2):
        restorer.restore_window(np.zeros(restorer.plan.window_samples, np.float32))
    restorer.reset()


def _hop_seconds(restorer: "RestorerStream", window: Samples) -> float:
    started = perf_counter()
    restorer.restore_window(window)
    return perf_counter() - started


def _name_of_device(model: "MaskSR") -> str:
    import torch

    return torch.cuda.get_device_name(model.device) if model.device.type == "cuda" else "CPU"
