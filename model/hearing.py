"""What is heard of a stream: it conditions what is generated, and stands where it was heard clearly."""

from functools import partial

import torch
from torch import Tensor

from model.arrays import FloatArray
from model.codec import Codec
from model.cuda_graph import Call, call_eagerly
from model.language_model import LanguageModel
from model.plan import FRAME_SAMPLES, WindowPlan
from model.stft import Stft
from model.transfer import to_device


class Hearing:
    """Hears consecutive windows; the conditioning of frames that were given out stays as it was.

    `noise`, float32 [1, window_samples], is what fills in the next window. `call` calls the speech encoder.
    """

    def __init__(
        self,
        language_model: LanguageModel,
        codec: Codec,
        plan: WindowPlan,
        seed: int,
        call: Call = call_eagerly,
    ) -> None:
        self._language_model, self._codec, self._plan, self._seed = language_model, codec, plan, seed
        self._call = call
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
        audio = to_device(torch.from_numpy(levelled)[None], self._device)
        noise = to_device(self.noise, self._device)
        first = 0 if before is None else plan.context_frames
        encode = partial(self._language_model.encode, codec=self._codec, first_frame=first)
        new, self._speech = self._call(("encode", first), encode, audio, noise)
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
        speech, splice = self._speech, partial(_splice, self._language_model.speech_encoder.stft)
        start = first_frame - (self._plan.window_frames - speech.heard.shape[1])
        frames = slice(start, start + generated.shape[1] // FRAME_SAMPLES)
        enhanced = speech.enhanced[:, frames.start * FRAME_SAMPLES : frames.stop * FRAME_SAMPLES]
        return self._call("keep", splice, generated, enhanced, speech.heard[:, frames])

    def newest(self, samples: int) -> Tensor:
        """The last `samples` of the window as they were heard, float32 [samples]."""
        enhanced = self._speech.enhanced[0]
        return enhanced[len(enhanced) - samples :]


def _splice(stft: Stft, generated: Tensor, enhanced: Tensor, heard: Tensor) -> Tensor:
    return generated + stft.synthesise(heard * stft.analyse(enhanced - generated))
