"""The layers of the encode step, taken out of it in the forms in which `model.candidates` measures them.

The Fourier transforms are left out: they are the same in all forms.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from model.bundle import Bundle
from model.codec import build_dac, fold_weight_norm
from model.filter_bank import all_but_banks_to, folded
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, WindowPlan
from model.speech_encoder import LOOK_BACK_FRAMES, SpeechEncoder, white_noise

CPU = torch.device("cpu")
Outputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class EncodeLayers:
    """The speech encoder, and what makes latents of float32 [batch, samples]."""

    encoder: SpeechEncoder
    latents: Callable[[Tensor], Tensor]

    def parts(self, first_frame: int) -> dict[str, nn.Module]:
        """By name; the transformer gives the frames from `first_frame` on."""
        return {"transformer": _Transformer(self.encoder, first_frame), "other layers": _OtherLayers(self)}


class _Transformer(nn.Module):
    def __init__(self, encoder: SpeechEncoder, first_frame: int) -> None:
        super().__init__()
        self.transformer, self._first_frame = encoder.transformer, first_frame

    def forward(self, seen: Tensor) -> Outputs:
        return (self.transformer(seen, self._first_frame),)


class _OtherLayers(nn.Module):
    """Those before and after the transformer, and the codec's encoder."""

    def __init__(self, layers: EncodeLayers) -> None:
        super().__init__()
        self.encoder, self.latents = layers.encoder, layers.latents

    def forward(self, features: Tensor, known: Tensor, enhanced: Tensor) -> Outputs:
        judged = self.encoder.judge(features[:, -known.shape[1] :], known)
        return self.encoder.look(features), *judged, self.latents(enhanced)


class _Latents(nn.Module):
    """The codec's encoder in stock layers."""

    def __init__(self, encoder: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.encoder, self._dtype = encoder, dtype

    def forward(self, audio: Tensor) -> Tensor:
        latents: Tensor = self.encoder(audio[:, None].to(self._dtype))
        return latents.float()


def plain(bundle: Bundle, dtype: torch.dtype = torch.float32, *, is_lean: bool = True) -> EncodeLayers:
    """Stock layers; if `is_lean`, without weights that are computed anew and steps that can be one."""
    dac = build_dac(bundle.config.codec).eval()
    dac.load_state_dict(bundle.codec)
    if is_lean:
        fold_weight_norm(dac)
        steps = all_but_banks_to(folded(dac.encoder.requires_grad_(False).block, dtype), dtype)
    else:
        steps = dac.encoder.requires_grad_(False).to(dtype)
    return EncodeLayers(bundle.build_language_model(CPU, dtype).speech_encoder, _Latents(steps, dtype))


def packed(bundle: Bundle, dtype: torch.dtype) -> EncodeLayers:
    """As a bundle is loaded to restore."""
    model = MaskSR.from_bundle(bundle, CPU, dtype)
    return EncodeLayers(model.language_model.speech_encoder, model.codec.latents)


def hop_inputs(bundle: Bundle, plan: WindowPlan, noisy: Tensor) -> tuple[int, dict[str, tuple[Tensor, ...]]]:
    """The first frame that the transformer has to give, and what each part is given, in a hop of `plan`.

    `noisy` is its window, float32 [1, window_samples].
    """
    model = MaskSR.from_bundle(bundle, CPU, torch.float32)
    encoder, codec = model.language_model.speech_encoder, model.codec
    white = white_noise(noisy, torch.Generator().manual_seed(0))
    speech = model.language_model.encode(noisy, white, codec, plan.context_frames)[1]
    features = encoder.normalise(encoder.stft.analyse(noisy))
    start = max(0, plan.window_frames - speech.known.shape[1] - LOOK_BACK_FRAMES)
    seen = encoder.look(features)
    known = encoder.norm(encoder.transformer(seen, start))
    frames = plan.hop_frames + plan.lookahead_frames + min(codec.margin_frames, plan.context_frames)
    enhanced = speech.enhanced[:, -frames * FRAME_SAMPLES :]
    return start, {"transformer": (seen,), "other layers": (features, known, enhanced)}
