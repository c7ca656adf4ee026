"""A model as if on a graphics card, until that is full or lost."""

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

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
LOST = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
LIBRARY_FAILED = RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`")


class FailingCardCodec:
    """Decodes `hops`, and then fails as torch does."""

    def __init__(self, codec: Codec, hops: int, error: RuntimeError) -> None:
        self._codec, self._hops_left, self._error = codec, hops, error

    def decode(self, *arguments: Any, **named: Any) -> Tensor:
        self._hops_left -= 1
        if self._hops_left < 0:
            raise self._error
        return self._codec.decode(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codec, name)


def fail_after(hops: int, model: MaskSR, error: RuntimeError = FULL) -> MaskSR:
    model.codec = cast(Codec, FailingCardCodec(model.codec, hops, error))
    return model


def load_on_a_card(
    preset: Path, hops: int, error: RuntimeError, order: ModelOrder, on_progress: Callable[[float], None]
) -> LoadedModel:
    """The model of `preset`, on the card unless the order says otherwise; there it fails after `hops`."""
    loaded = load_model(replace(order, preset=str(preset)), on_progress)
    if order.on_cpu:
        return loaded
    settings, model = load_with_preset(str(preset))
    restorer = fail_after(hops, model, error).stream(settings.plan, **settings.stream_settings)
    return replace(loaded, restorer=restorer, device="Card")
