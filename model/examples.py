"""Training examples of the language model: degraded windows and the codec tokens of their clean targets."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.codec import Codec
from model.data import Corpus
from model.degrade import Degrader
from model.level import FLOOR_RMS, REFERENCE_RMS
from model.plan import FRAME_SAMPLES

MARGIN_FRAMES = 8  # the codec's encoder sees the true surroundings of a window (+-84.6 ms)
LEVEL_BLOCK_FRAMES = 16


@dataclass(frozen=True)
class Batch:
    """Some examples.

    noisy, target: float32 [batch, frames * 512];
    noisy_latents, target_latents: float32 [batch, channels, frames];
    tokens, of the target: int64 [batch, codebooks, frames].
    """

    noisy: Tensor
    target: Tensor
    noisy_latents: Tensor
    target_latents: Tensor
    tokens: Tensor


class Examples:
    """A numbered set of examples; each number always gives the same one, so its tokens are computed once."""

    def __init__(self, corpus: Corpus, degrader: Degrader, codec: Codec, frames: int, seed: int) -> None:
        self._corpus, self._degrader, self._codec = corpus, degrader, codec
        self._frames, self._seed = frames, seed
        self._encoded: dict[int, tuple[Tensor, ...]] = {}

    def batch(self, numbers: list[int], device: torch.device) -> Batch:
        """The examples of these numbers; the noisy window is cut at both ends as the live window is."""
        pairs = [self._pair(number) for number in numbers]
        inner = slice(MARGIN_FRAMES * FRAME_SAMPLES, -MARGIN_FRAMES * FRAME_SAMPLES)
        noisy = torch.from_numpy(np.stack([noisy for noisy, _ in pairs])[:, inner]).to(device)
        targets = torch.from_numpy(np.stack([target for _, target in pairs])).to(device)
        self._encode(numbers, noisy, targets)
        encoded = zip(*(self._encoded[number] for number in numbers), strict=True)
        noisy_latents, target_latents, tokens = (torch.stack(parts).to(device) for parts in encoded)
        return Batch(noisy, targets[:, inner], noisy_latents.float(), target_latents.float(), tokens.long())

    def _pair(self, number: int) -> tuple[FloatArray, FloatArray]:
        rng = np.random.default_rng((self._seed, number))
        clean = self._corpus.speech_window((self._frames + 2 * MARGIN_FRAMES) * FRAME_SAMPLES, rng)
        noisy, target = self._degrader.degrade(clean, rng)
        block = LEVEL_BLOCK_FRAMES * FRAME_SAMPLES
        blocks = noisy[len(noisy) % block :].reshape(-1, block)
        loudest = float(np.sqrt(np.square(blocks).mean(axis=1).max()))
        gain = np.float32(REFERENCE_RMS / max(loudest, FLOOR_RMS) * 10 ** (rng.uniform(-6, 2) / 20))
        return noisy * gain, target * gain

    def _encode(self, numbers: list[int], noisy: Tensor, targets: Tensor) -> None:
        new = [place for place, number in enumerate(numbers) if number not in self._encoded]
        if new:
            frames = slice(MARGIN_FRAMES, -MARGIN_FRAMES)
            target_latents = self._codec.latents(targets[new])
            tokens = self._codec.quantize(target_latents)[:, :, frames].to("cpu", torch.int16)
            half = [
                part.to("cpu", torch.float16) for part in (self._codec.latents(noisy[new]), target_latents)
            ]
            rows = zip(half[0], half[1][:, :, frames], tokens, strict=True)
            self._encoded |= dict(zip([numbers[place] for place in new], rows, strict=True))
