"""Speech through a codec and back, without a language model: what is left is the codec's own loss."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from model.bundle import Bundle
from model.plan import FRAME_SAMPLES
from model.training import device_and_dtype

Audio = NDArray[np.float32]


def make_resynthesizer(bundle: Bundle) -> Callable[[Audio], Audio]:
    """A function that codes and decodes float32 [samples] at 44.1 kHz; its result is as long and aligned."""
    device, dtype = device_and_dtype()
    codec = bundle.build_codec(device, dtype)

    def resynthesize(audio: Audio) -> Audio:
        padded = torch.from_numpy(np.pad(audio, (0, -len(audio) % FRAME_SAMPLES)))
        decoded = codec.decode(codec.encode(padded[None].to(device)))
        return decoded[0, : len(audio)].cpu().numpy()

    return resynthesize
