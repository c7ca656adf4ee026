"""A bundle in the plainest form: stock layers in float32, all of every window computed anew.

`main.py restore --reference` computes so. The fast form gives the same within the tolerance of
`tests/test_reference.py`, and `main.py bench` prints how much faster it is.
"""

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from model.bundle import Bundle
from model.codec import MARGIN_FRAMES, Codec, build_dac
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES


class ReferenceCodec(Codec):
    """The codec as `dac.DAC` computes it."""

    def __init__(self, dac: Any) -> None:
        self._dac = dac.eval().requires_grad_(False)
        self.codebooks, self.codebook_size = dac.n_codebooks, dac.codebook_size
        self.margin_frames = MARGIN_FRAMES
        self._search_width = 1

    def latents(self, audio: Tensor) -> Tensor:
        latents: Tensor = self._dac.encoder(audio[:, None])
        return latents

    def decode(self, tokens: Tensor, start_frame: int = 0, stop_frame: int | None = None) -> Tensor:
        audio: Tensor = self._dac.decode(self._dac.quantizer.from_codes(tokens)[0])[:, 0]
        stop_frame = tokens.shape[-1] if stop_frame is None else stop_frame
        return audio[:, start_frame * FRAME_SAMPLES : stop_frame * FRAME_SAMPLES]


class Reference(MaskSR):
    """A bundle's model in the plainest form."""

    @classmethod
    def from_bundle(cls, bundle: Bundle, device: torch.device, dtype: torch.dtype) -> Self:
        """Bring a bundle to `device`; it computes in float32 there, whatever `dtype` is."""
        dac = build_dac(bundle.config.codec)
        dac.load_state_dict(bundle.codec)
        language_model = bundle.build_language_model(device, torch.float32)
        return cls(ReferenceCodec(dac.to(device)), language_model, device)


def load_reference(folder: Path, *, on_cpu: bool = False) -> MaskSR:
    """Load the bundle in `folder` as `MaskSR.load` does; raises what it raises."""
    return Reference.load(folder, on_cpu=on_cpu)
