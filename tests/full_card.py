"""A model as if on a graphics card, until other programs have filled it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from model.codec import Codec
from model.masksr import MaskSR
from realtime.model_loader import load_model, load_with_preset
from realtime.model_process import LoadedModel, ModelOrder


class FullCardCodec:
    """Decodes `hops`, and then finds no memory left."""

    def __init__(self, codec: Codec, hops: int) -> None:
        self._codec, self._hops_left = codec, hops

    def decode(self, *arguments: Any, **named: Any) -> Tensor:
        self._hops_left -= 1
        if self._hops_left < 0:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self._codec.decode(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codec, name)


def fill_after(hops: int, model: MaskSR) -> MaskSR:
    model.codec = cast(Codec, FullCardCodec(model.codec, hops))
    return model


def load_on_a_card(
    preset: Path, hops: int, order: ModelOrder, on_progress: Callable[[float], None]
) -> LoadedModel:
    """The model of `preset`, on the card unless the order says otherwise."""
    loaded = load_model(replace(order, preset=str(preset)), on_progress)
    if order.on_cpu:
        return loaded
    settings, model = load_with_preset(str(preset))
    restorer = fill_after(hops, model).stream(settings.plan, **settings.stream_settings)
    return replace(loaded, restorer=restorer, device="Card")
