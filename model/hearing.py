"""What is heard of a stream: it conditions what is generated, and stands where it was heard clearly."""

import torch
from torch import Tensor

from model.arrays import FloatArray
from model.codec import Codec
from model.language_model import LanguageModel
from model.plan import FRAME_SAMPLES, WindowPlan


class Hearing:
    """Hears consecutive windows; the conditioning of frames that were given out stays as it was.

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
        self._condition: Tensor | None = None

    def next_window(self, levelled: FloatArray) -> Tensor:
        """Hear float32 [window_samples] at 44.1 kHz; return the conditioning, float32 [1, frames, width]."""
        plan, before = self._plan, self._condition
        audio, noise = self._to_device(torch.from_numpy(levelled)[None]), self._to_device(self.noise)
        first = 0 if before is None else plan.context_frames
        new, self._speech = self._language_model.encode(audio, noise, self._codec, first)
        if before is not None:
            new = torch.cat([before[:, plan.hop_frames : plan.hop_frames + first], new], dim=1)
        fresh = torch.randn(1, plan.hop_samples, generator=self._generator)
        self.noise = torch.cat([self.noise[:, plan.hop_samples :], fresh], dim=1)
        self._condition = new
        return new

    def keep(self, generated: Tensor, first_frame: int) -> Tensor:
        """Put what was heard of the window, bin by bin, in the place of what was generated.

        What was filled in, since it was missing, stays generated. Replacing what need not be generated is
        common in bandwidth extension (Liu et al. 2022, NVSR).

        Args:
            generated: float32 [1, frames * 512], from `first_frame` of the window on.
        """
        speech, stft = self._speech, self._language_model.speech_encoder.stft
        start = first_frame - (self._plan.window_frames - speech.heard.shape[1])
        frames = slice(start, start + generated.shape[1] // FRAME_SAMPLES)
        enhanced = speech.enhanced[:, frames.start * FRAME_SAMPLES : frames.stop * FRAME_SAMPLES]
        return generated + stft.synthesise(speech.heard[:, frames] * stft.analyse(enhanced - generated))

    def _to_device(self, signal: Tensor) -> Tensor:
        on_gpu = self._device.type == "cuda"
        return signal.pin_memory().to(self._device, non_blocking=True) if on_gpu else signal
