"""Speech through a codec and back, without a language model: what is left is the codec's own loss."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from model.bundle import Bundle
from model.level import RunningLevel
from model.plan import FRAME_SAMPLES
from model.training import device_and_dtype

Audio = NDArray[np.float32]


def make_resynthesizer(bundle: Bundle) -> Callable[[Audio], Audio]:
    """A function that codes and decodes float32 [samples] at 44.1 kHz; its result is as long and aligned.

    The codec hears the sound at the level that a stream would give it.
    """
    device, dtype = device_and_dtype()
    codec = bundle.build_codec(device, dtype)

    def resynthesize(audio: Audio) -> Audio:
        gain = np.float32(RunningLevel().gain(audio, 0.0))
        padded = torch.from_numpy(np.pad(audio * gain, (0, -len(audio) % FRAME_SAMPLES)))
        decoded = codec.decode(codec.encode(padded[None].to(device)))
        return (decoded[0, : len(audio)] / float(gain)).cpu().numpy()

    return resynthesize
