"""MaskSR: noisy audio to codec tokens to restored audio, a window at a time (DESIGN section 4)."""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from model.bundle import Bundle
from model.codec import Codec
from model.data import FloatArray
from model.language_model import LanguageModel
from model.level import RunningLevel
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ, WindowPlan
from model.sampler import sample
from model.training import device_and_dtype

DECODE_CONTEXT_FRAMES = 10  # a decoded frame hears this many frames before it
WHOLE_FILE_PLAN = WindowPlan(context_frames=32, hop_frames=64, lookahead_frames=16, fade_samples=882)


class MaskSR:
    """A loaded restorer; `stream` starts a restoration, any number of which may go on side by side."""

    def __init__(self, codec: Codec, language_model: LanguageModel, device: torch.device) -> None:
        self.codec, self.language_model, self.device = codec, language_model, device
        self.mask_token = language_model.mask_token
        silence = torch.zeros(1, 64 * FRAME_SAMPLES, device=device)
        self.silent_frame = codec.encode(silence)[:, :, 32:33]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the bundle in `folder` onto the GPU where there is one, else the CPU.

        Raises:
            BundleError: the bundle is unusable or holds a codec alone.
        """
        bundle = Bundle.load(folder)
        device, dtype = device_and_dtype()
        return cls(bundle.build_codec(device, dtype), bundle.build_language_model(device, dtype), device)

    def stream(
        self, plan: WindowPlan, *, passes: int, guidance: float = 0.0, temperature: float, seed: int = 0
    ) -> "RestorerStream":
        """A restoration of consecutive windows; equal seeds give equal results."""
        return RestorerStream(self, plan, passes, guidance, temperature, seed)

    def restore(
        self, audio: FloatArray, *, passes: int, guidance: float = 0.0, temperature: float, seed: int = 0
    ) -> FloatArray:
        """Restore a whole recording, float32 [samples] at 44.1 kHz, with no delay to keep."""
        plan = WHOLE_FILE_PLAN
        stream = self.stream(plan, passes=passes, guidance=guidance, temperature=temperature, seed=seed)
        hops = -(-len(audio) // plan.hop_samples)
        padded = np.zeros(
            plan.context_frames * FRAME_SAMPLES + hops * plan.hop_samples + plan.lookahead_samples, np.float32
        )
        start = plan.context_frames * FRAME_SAMPLES
        padded[start : start + len(audio)] = audio
        restored = np.zeros(hops * plan.hop_samples + plan.fade_samples, np.float32)
        ramp = np.linspace(0, 1, plan.fade_samples, dtype=np.float32)
        for hop in range(hops):
            first = hop * plan.hop_samples
            piece = stream.restore_window(padded[first : first + plan.window_samples])
            if hop:
                seam = slice(first, first + plan.fade_samples)
                piece[: plan.fade_samples] = ramp * piece[: plan.fade_samples] + (1 - ramp) * restored[seam]
            restored[first : first + len(piece)] = piece
        return restored[: len(audio)]

    @torch.no_grad()
    def restore_tokens(
        self,
        noisy: Tensor,
        tokens: Tensor,
        pinned: Tensor,
        *,
        passes: int,
        guidance: float,
        temperature: float,
        generators: list[torch.Generator],
    ) -> Tensor:
        """Tokens of the restored speech for level-normalised windows.

        Args:
            noisy: float32 [batch, frames * 512].
            tokens: int64 [batch, codebooks, frames], read where `pinned`, bool [codebooks, frames], is true.
            guidance: weight w of (1 + w) conditioned - w unconditioned logits; 0 costs one model call a pass.
        """
        condition = self.language_model.encode(noisy, self.codec.latents(noisy))
        first_frame = int(pinned.all(0).long().cumprod(0).sum())  # logits of the pinned past are not needed

        def predict(tokens: Tensor) -> Tensor:
            if guidance == 0:
                return self.language_model(tokens, condition, first_frame)
            nothing = self.language_model.no_condition.expand_as(condition)
            logits = self.language_model(tokens.repeat(2, 1, 1), torch.cat([condition, nothing]), first_frame)
            conditioned, unconditioned = logits.chunk(2)
            return (1 + guidance) * conditioned - guidance * unconditioned

        return sample(
            predict,
            tokens,
            pinned,
            mask_token=self.mask_token,
            passes=passes,
            temperature=temperature,
            generators=generators,
        )


class RestorerStream:
    """Restores consecutive windows; the tokens of what it has given out are pinned in those that follow."""

    def __init__(
        self, model: MaskSR, plan: WindowPlan, passes: int, guidance: float, temperature: float, seed: int
    ) -> None:
        self.plan, self.passes = plan, passes
        self._model, self._guidance, self._temperature, self._seed = model, guidance, temperature, seed
        self._pinned = torch.zeros(
            model.codec.codebooks, plan.window_frames, dtype=torch.bool, device=model.device
        )
        self._pinned[:, : plan.context_frames] = True
        self.reset()

    def reset(self) -> None:
        """Begin a new stream, preceded by silence."""
        self._level = RunningLevel()
        self._tokens = self._model.silent_frame.repeat(1, 1, self.plan.window_frames)
        self._generator = torch.Generator().manual_seed(self._seed)

    def restore_window(self, noisy: FloatArray) -> FloatArray:
        """Restore the hop of a window, float32 [window_samples] at 44.1 kHz.

        Returns:
            float32 [hop_samples + fade_samples]: the hop, and a first version of the samples that follow.
        """
        plan = self.plan
        newest = noisy[-plan.hop_samples - plan.lookahead_samples :]
        gain = self._level.gain(newest, plan.hop_samples / SAMPLE_RATE_HZ)
        window = torch.from_numpy(noisy * np.float32(gain))[None].to(self._model.device)
        tokens = self._model.restore_tokens(
            window,
            self._tokens,
            self._pinned,
            passes=self.passes,
            guidance=self._guidance,
            temperature=self._temperature,
            generators=[self._generator],
        )
        self._tokens = tokens.roll(-plan.hop_frames, dims=2)
        skipped = min(DECODE_CONTEXT_FRAMES, plan.context_frames)
        stop_frame = skipped + -(-(plan.hop_samples + plan.fade_samples) // FRAME_SAMPLES)
        audio = self._model.codec.decode(tokens[:, :, plan.context_frames - skipped :], skipped, stop_frame)[
            0
        ]
        restored: FloatArray = (audio[: plan.hop_samples + plan.fade_samples] / gain).cpu().numpy()
        return restored
