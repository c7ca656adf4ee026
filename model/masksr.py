"""MaskSR: noisy audio to codec tokens to restored audio, a window at a time (DESIGN section 4)."""

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.bundle import Bundle
from model.codec import DECODE_CONTEXT_FRAMES, Codec
from model.cuda_graph import Call, GraphedCalls, call_eagerly
from model.errors import GraphicsCardError
from model.graphics_card import card_errors_told
from model.hearing import Hearing
from model.language_model import LanguageModel
from model.level import WindowGains
from model.packed_linear import pack
from model.plan import FRAME_SAMPLES, Sampling, WindowPlan
from model.rolling import LATE, RollingSampler
from model.sampler import COARSE_FIRST, Draw, Predict, RestartingSampler, Sampler, Unmasking, likeliest
from model.stopwatch import Timer
from model.training import cpu_and_dtype, device_and_dtype
from model.transfer import to_host

SPLICE_MARGIN_FRAMES = 3  # so far apart, frames hardly meet in a spectrum
WHOLE_FILE_PLAN = WindowPlan(context_frames=32, hop_frames=64, lookahead_frames=16, fade_samples=882)


class MaskSR:
    """A loaded restorer; `stream` starts a restoration, any number of which may go on side by side."""

    def __init__(self, codec: Codec, language_model: LanguageModel, device: torch.device) -> None:
        self.codec, self.language_model, self.device = codec, language_model, device
        self.mask_token = language_model.mask_token
        silence = torch.zeros(1, 64 * FRAME_SAMPLES, device=device)
        self.silent_frame = codec.encode(silence)[:, :, 32:33]

    @classmethod
    def load(cls, folder: Path, *, on_cpu: bool = False) -> Self:
        """Load the bundle in `folder` onto the GPU where there is one that works and has room, else the CPU.

        Raises:
            BundleError: the bundle is unusable or holds a codec alone.
        """
        bundle = Bundle.load(folder)
        try:
            with card_errors_told():
                return cls.from_bundle(bundle, *(cpu_and_dtype() if on_cpu else device_and_dtype()))
        except GraphicsCardError:
            warnings.warn(GraphicsCardError().notice, stacklevel=2)
            return cls.from_bundle(bundle, *cpu_and_dtype())

    @classmethod
    def from_bundle(cls, bundle: Bundle, device: torch.device, dtype: torch.dtype) -> Self:
        """Bring a bundle to `device`, most of it to compute in `dtype`. Raises BundleError as `load`."""
        codec = bundle.build_codec(device, dtype)
        language_model = bundle.build_language_model(device, dtype)
        language_model.leave_out_idle()
        for transformer in (language_model.speech_encoder.transformer, language_model.transformer):
            transformer.merge_norms()
        if device.type == "cpu" and torch.backends.mkldnn.is_available():
            pack(language_model)
            language_model.speech_encoder.fine_gate.pack()
        return cls(codec, language_model, device)

    def stream(
        self,
        plan: WindowPlan,
        *,
        sampling: Sampling = "rolling",
        passes: int,
        guidance: float = 0.0,
        temperature: float,
        unmasking: Unmasking | None = None,
        seed: int = 0,
    ) -> "RestorerStream":
        """A restoration of consecutive windows; equal seeds give equal results.

        Args:
            sampling: whether windows share their passes (`model.rolling`) or each spends its own.
            passes: sampling passes per window, at least 1.
            guidance: weight w of (1 + w) conditioned - w unconditioned logits; 0 halves the cost of a pass.
            temperature: of the draw from the predicted distribution; 0 takes the likeliest token.
            unmasking: the order in which tokens are decided, if not the usual one of `sampling`.
        """
        if unmasking is None:
            unmasking = LATE if sampling == "rolling" else COARSE_FIRST
        return RestorerStream(self, plan, sampling, passes, guidance, temperature, unmasking, seed)

    def restore(
        self, audio: FloatArray, *, passes: int, guidance: float = 0.0, temperature: float, seed: int = 0
    ) -> FloatArray:
        """Restore a whole recording, float32 [samples] at 44.1 kHz, with no delay to keep."""
        plan = WHOLE_FILE_PLAN
        stream = self.stream(
            plan,
            sampling="restarting",
            passes=passes,
            guidance=guidance,
            temperature=temperature,
            seed=seed,
        )
        return restore_in_windows(audio, plan, stream.restore_window)

    def predictor(
        self, condition: Tensor, guidance: float, first_frame: int, call: Call = call_eagerly
    ) -> Predict:
        """What maps tokens to the logits of frames from `first_frame` on, by what is heard.

        Args:
            condition: of the whole window, as `LanguageModel.encode` makes it.
            guidance: as for `stream`.
            call: calls the language model.
        """
        run = partial(self.language_model, first_frame=first_frame)
        if guidance == 0:
            return lambda tokens: call(("pass", first_frame), run, tokens, condition)
        nothing = self.language_model.no_condition.expand_as(condition)

        def predict(tokens: Tensor) -> Tensor:
            conditioned = call(("pass", first_frame), run, tokens, condition)
            chosen = likeliest(conditioned).transpose(1, 2)
            unconditioned = call(("pass", first_frame), run, tokens, nothing, chosen)
            return (1 + guidance) * conditioned - guidance * unconditioned

        return predict


def restore_in_windows(
    audio: FloatArray, plan: WindowPlan, restore_window: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Give a whole recording, float32 [..., samples], to `restore_window` by and by.

    Returns:
        float32 [samples]: what came of it, crossfaded.
    """
    samples, start = audio.shape[-1], plan.context_frames * FRAME_SAMPLES
    hops = -(-samples // plan.hop_samples)
    after = hops * plan.hop_samples + plan.lookahead_samples - samples
    padded = np.pad(audio, [(0, 0)] * (audio.ndim - 1) + [(start, after)])
    restored = np.zeros(samples + after, np.float32)
    ramp = np.linspace(0, 1, plan.fade_samples, dtype=np.float32)
    for first in range(0, hops * plan.hop_samples, plan.hop_samples):
        piece = restore_window(padded[..., first : first + plan.window_samples])
        if first:
            seam = slice(first, first + plan.fade_samples)
            piece[: plan.fade_samples] = ramp * piece[: plan.fade_samples] + (1 - ramp) * restored[seam]
        restored[first : first + len(piece)] = piece
    return restored[:samples]


class RestorerStream:
    """Restores consecutive windows; the tokens of what it has given out are pinned in those that follow.

    `passes` may be changed between windows. `timer` is told when hearing the window ("encode"), sampling its
    tokens ("sample"), each pass of that ("pass") and decoding them ("decode") begin and end. `graphs` hold
    all of it but the drawing of tokens.
    """

    def __init__(
        self,
        model: MaskSR,
        plan: WindowPlan,
        sampling: Sampling,
        passes: int,
        guidance: float,
        temperature: float,
        unmasking: Unmasking,
        seed: int,
    ) -> None:
        self.plan, self.passes = plan, passes
        self.timer: Timer = nullcontext
        self._model, self._guidance, self._temperature = model, guidance, temperature
        self._unmasking, self._seed = unmasking, seed
        self.sampler: Sampler = (
            RollingSampler(plan, model.silent_frame, model.mask_token)
            if sampling == "rolling"
            else RestartingSampler(plan, model.silent_frame)
        )
        self.graphs = GraphedCalls(model.device)
        self._gains = WindowGains(plan)
        self._hearing = Hearing(model.language_model, model.codec, plan, seed, self.graphs)
        self.reset()

    def reset(self) -> None:
        """Begin a new stream, preceded by silence."""
        for part in (self._gains, self._hearing, self.sampler):
            part.reset()
        generator = torch.Generator().manual_seed(self._seed)
        self._draw = Draw(self._model.mask_token, self._temperature, [generator], self._unmasking)

    @torch.no_grad()
    def restore_window(self, noisy: FloatArray) -> FloatArray:
        """Restore the hop of a window, float32 [window_samples] at 44.1 kHz.

        Returns:
            float32 [hop_samples + lookahead_samples]: the hop, and a first version of the samples that
            follow, of which those after the fade are as they were heard, with nothing generated.

        Raises:
            GraphicsCardError: the GPU is full or lost; a model that is loaded onto the CPU may go on.
        """
        with card_errors_told():
            return self._restore(noisy)

    def _restore(self, noisy: FloatArray) -> FloatArray:
        gains = self._gains.follow(noisy)
        with self.timer("encode"):
            predict = self._hear(noisy * gains)
        with self.timer("sample"):
            tokens = self.sampler.next_window(predict, self.passes, self._draw)
        with self.timer("decode"):
            audio: FloatArray = to_host(self._decode(tokens)).numpy()
        return audio / gains[self.plan.context_frames * FRAME_SAMPLES :][: len(audio)]

    def _hear(self, levelled: FloatArray) -> Predict:
        condition = self._hearing.next_window(levelled)
        predict = self._model.predictor(condition, self._guidance, self.plan.context_frames, self.graphs)

        def timed(tokens: Tensor) -> Tensor:
            with self.timer("pass"):
                return predict(tokens)

        return timed

    def _decode(self, tokens: Tensor) -> Tensor:
        """Hop and look-ahead of a window, float32 [hop_samples + lookahead_samples]."""
        plan = self.plan
        samples = plan.hop_samples + plan.fade_samples
        first = max(0, plan.context_frames - SPLICE_MARGIN_FRAMES)
        stop = plan.context_frames - -samples // FRAME_SAMPLES + SPLICE_MARGIN_FRAMES
        oldest = max(0, first - DECODE_CONTEXT_FRAMES)
        span = first - oldest, min(stop, plan.window_frames) - oldest
        decode = partial(self._model.codec.decode, start_frame=span[0], stop_frame=span[1])
        generated = self.graphs("decode", decode, tokens[:, :, oldest:])
        restored = self._hearing.keep(generated, first)[0]
        hop = restored[(plan.context_frames - first) * FRAME_SAMPLES :][:samples]
        return torch.cat([hop, self._hearing.newest(plan.lookahead_samples - plan.fade_samples)])
