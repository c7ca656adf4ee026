"""Stand-ins for the model, for processes of their own to load."""

import os
from collections.abc import Callable
from pathlib import Path
from time import sleep

import numpy as np

from model.errors import GraphicsCardError, MaskSRError
from model.plan import WindowPlan
from realtime.model_process import LoadedModel, ModelOrder
from realtime.passthrough import PassThrough
from realtime.ring import Samples

PLAN = WindowPlan(context_frames=3, hop_frames=4, lookahead_frames=2, fade_samples=512)


class Inverter(PassThrough):
    """Turns the sound upside down, to tell restored from untouched."""

    passes = 2

    def restore_window(self, noisy: Samples) -> Samples:
        return -super().restore_window(noisy)


def load_pass_through(order: ModelOrder, on_progress: Callable[[float], None]) -> LoadedModel:
    return LoadedModel(PassThrough(PLAN), "untouched", "CPU")


def load_inverter(order: ModelOrder, on_progress: Callable[[float], None]) -> LoadedModel:
    return LoadedModel(Inverter(PLAN), "inverted", "CPU")


class Faulty(Inverter):
    """Works for a while, then does what `fault` says, and leaves a note at `scene` so as to do it once."""

    def __init__(self, fault: str, scene: Path) -> None:
        super().__init__(PLAN)
        self._fault, self._scene, self._hops = fault, scene, 0
        self._is_broken = False

    def restore_window(self, noisy: Samples) -> Samples:
        self._hops += 1
        if self._hops == 15 and not self._scene.exists():
            self._scene.touch()
            self._fail()
        if self._is_broken:
            return np.full_like(super().restore_window(noisy), np.nan)
        return super().restore_window(noisy)

    def _fail(self) -> None:
        if self._fault == "dies":
            os.kill(os.getpid(), 9)
        elif self._fault == "hangs":
            sleep(1000.0)
        elif self._fault == "memory":
            raise MemoryError
        elif self._fault == "card":
            raise GraphicsCardError
        elif self._fault == "mistake":
            raise KeyError("a mistake")
        self._is_broken = self._fault == "nan"


def load_faulty(
    fault: str, scene: Path, order: ModelOrder, on_progress: Callable[[float], None]
) -> LoadedModel:
    if order.on_cpu:
        sleep(0.5)  # no model is there at once
    return LoadedModel(Faulty(fault, scene), fault, "CPU")


def load_refused(order: ModelOrder, on_progress: Callable[[float], None]) -> LoadedModel:
    raise MaskSRError("There is no such preset; choose another one.")


class Mute(Inverter):
    """Gives silence while there is a file `switch`."""

    def __init__(self, switch: Path) -> None:
        super().__init__(PLAN)
        self._switch = switch

    def restore_window(self, noisy: Samples) -> Samples:
        restored = super().restore_window(noisy)
        return np.zeros_like(restored) if self._switch.exists() else restored


def load_mute(switch: Path, order: ModelOrder, on_progress: Callable[[float], None]) -> LoadedModel:
    return LoadedModel(Mute(switch), "mute at times", "CPU")
