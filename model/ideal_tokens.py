"""What no language model can do better: the tokens of one who knows the clean speech."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from model.arrays import FloatArray
from model.evaluate import Audio, Ideal
from model.level import WindowGains
from model.masksr import MaskSR, RestorerStream, restore_in_windows
from model.plan import WindowPlan
from model.sampler import Draw, Predict
from model.speech_encoder import Speech
from model.transfer import to_device

_FLOOR = 1e-4  # of magnitudes, below which a gain is 1


def ideal_tokens(model: MaskSR, plan: WindowPlan) -> dict[str, Ideal]:
    """By name: in place of what was filled in; and also of what was masked, the more, the more it was."""
    return {
        "ideal tokens": partial(_restore, model, plan),
        "ideal tokens, masked too": partial(_restore_masked, model, plan),
    }


def _restore(model: MaskSR, plan: WindowPlan, heard: Audio, clean: Audio) -> Audio:
    told = _Told(model.stream(plan, passes=1, temperature=0.0), model, plan)
    return restore_in_windows(np.stack([heard, clean]), plan, told.restore_window)


def _restore_masked(model: MaskSR, plan: WindowPlan, heard: Audio, clean: Audio) -> Audio:
    with _masked_is_missing(model):
        return _restore(model, plan, heard, clean)


class _Told:
    """Restores windows whose tokens it is told: it stands in for the sampler of `stream`."""

    def __init__(self, stream: RestorerStream, model: MaskSR, plan: WindowPlan) -> None:
        self._stream, self._model = stream, model
        self._gains = WindowGains(plan)
        stream.sampler = self

    def restore_window(self, pair: FloatArray) -> FloatArray:
        """As `RestorerStream.restore_window`, of float32 [2, window_samples]: noisy and clean."""
        noisy, clean = pair
        self._clean = clean * self._gains.follow(noisy)
        return self._stream.restore_window(noisy)

    def next_window(self, predict: Predict, passes: int, draw: Draw) -> Tensor:
        return self._model.codec.encode(to_device(torch.from_numpy(self._clean)[None], self._model.device))

    def reset(self) -> None:
        self._gains.reset()


@contextmanager
def _masked_is_missing(model: MaskSR) -> Iterator[None]:
    """Within, of a bin that a mask makes softer, only that share counts as heard."""
    encoder = model.language_model.speech_encoder

    def count_less(module: nn.Module, given: tuple[Tensor, Tensor, int], speech: Speech) -> Speech:
        noisy, enhanced = (encoder.stft.analyse(audio).abs() for audio in (given[0], speech.enhanced))
        gain = (enhanced + _FLOOR) / (noisy[:, -enhanced.shape[1] :] + _FLOOR)
        return speech._replace(heard=speech.heard * gain.clamp(max=1.0))

    hook = encoder.register_forward_hook(count_less)
    try:
        yield
    finally:
        hook.remove()
