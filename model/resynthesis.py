"""Speech through a codec and back, without a language model: what is left is the codec's own loss."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from model.bundle import Bundle
from model.codebook_usage import count_entries, perplexity
from model.codec import DECODE_CONTEXT_FRAMES, Codec
from model.level import RunningLevel
from model.plan import FRAME_SAMPLES
from model.training import device_and_dtype

Audio = NDArray[np.float32]


class Resynthesizer:
    """Codes and decodes float32 [samples] at 44.1 kHz; the result is as long and aligned.

    The codec hears the sound at the level that a stream would give it. With `lookahead_frames`, every frame
    comes from a window that ends so many frames after it, which takes far longer.
    """

    def __init__(self, bundle: Bundle, lookahead_frames: int | None = None) -> None:
        self._device, dtype = device_and_dtype()
        self._codec, self._lookahead_frames = bundle.build_codec(self._device, dtype), lookahead_frames
        self._chosen = torch.zeros(self._codec.codebooks, self._codec.codebook_size)

    def __call__(self, audio: Audio) -> Audio:
        gain = np.float32(RunningLevel().gain(audio, 0.0))
        padded = torch.from_numpy(np.pad(audio * gain, (0, -len(audio) % FRAME_SAMPLES))).to(self._device)
        if self._lookahead_frames is None:
            tokens = self._codec.encode(padded[None])
            count_entries(self._chosen, tokens)
            decoded = self._codec.decode(tokens)
        else:
            decoded = _frame_by_frame(self._codec, padded, self._lookahead_frames)
        return (decoded.flatten()[: len(audio)] / float(gain)).cpu().numpy()

    def perplexities(self) -> Tensor:
        """How many entries of each codebook whole recordings used, in effect, float32 [codebooks]."""
        return perplexity(self._chosen)


def _frame_by_frame(codec: Codec, audio: Tensor, lookahead_frames: int) -> Tensor:
    """Of float32 [frames * 512], each frame as a window gives it, [frames, 512]."""
    before = DECODE_CONTEXT_FRAMES + codec.margin_frames
    padded = F.pad(audio, (before * FRAME_SAMPLES, lookahead_frames * FRAME_SAMPLES))
    windows = padded.unfold(0, (before + 1 + lookahead_frames) * FRAME_SAMPLES, FRAME_SAMPLES)
    return codec.decode(codec.encode(windows), before, before + 1)
