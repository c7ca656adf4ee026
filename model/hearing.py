"""What is heard of a stream: the language model's conditioning, window after window."""

import torch
from torch import Tensor

from model.arrays import FloatArray
from model.codec import Codec
from model.language_model import LanguageModel
from model.plan import WindowPlan


class Hearing:
    """The conditioning of consecutive windows; of frames that were given out it stays as it was.

    `noise`, float32 [1, window_samples], is what fills in the next window.
    """

    def __init__(self, language_model: LanguageModel, codec: Codec, plan: WindowPlan, seed: int) -> None:
        self._language_model, self._codec, self._plan, self._seed = language_model, codec, plan, seed
        self._device = language_model.no_condition.device
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self._generator = torch.Generator().manual_seed(self._seed)
        self.noise = torch.randn(1, self._plan.window_samples, generator=self._generator)
        self._heard: Tensor | None = None

    def next_window(self, levelled: FloatArray) -> Tensor:
        """Hear float32 [window_samples] at 44.1 kHz; return float32 [1, frames, width]."""
        plan, before = self._plan, self._heard
        audio, noise = self._to_device(torch.from_numpy(levelled)[None]), self._to_device(self.noise)
        first = 0 if before is None else plan.context_frames
        self._heard = self._language_model.encode(audio, noise, self._codec.latents, first)
        if before is not None:
            kept = before[:, plan.hop_frames : plan.hop_frames + plan.context_frames]
            self._heard = torch.cat([kept, self._heard], dim=1)
        fresh = torch.randn(1, plan.hop_samples, generator=self._generator)
        self.noise = torch.cat([self.noise[:, plan.hop_samples :], fresh], dim=1)
        return self._heard

    def _to_device(self, signal: Tensor) -> Tensor:
        on_gpu = self._device.type == "cuda"
        return signal.pin_memory().to(self._device, non_blocking=True) if on_gpu else signal
