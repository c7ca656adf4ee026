"""Stand-ins for the model, for processes of their own to load."""

from collections.abc import Callable

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
