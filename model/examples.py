"""Training examples of the language model: degraded windows and the codec tokens of their clean targets."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.codec import MARGIN_FRAMES, Codec
from model.data import Corpus
from model.degrade import Degrader
from model.level import FLOOR_RMS, REFERENCE_RMS
from model.plan import FRAME_SAMPLES
from model.recogniser import Recogniser
from model.voice import vary_voice

LEVEL_BLOCK_FRAMES = 16
BEGINNING_SHARE = 0.15  # of the windows, as those of a stream that has just begun, start in silence
VARIED_SHARE = 0.5  # of the windows, with voices that nobody recorded


@dataclass(frozen=True)
class Batch:
    """Some examples.

    noisy, target: float32 [batch, frames * 512];
    target_latents: float32 [batch, channels, frames];
    tokens, of the target: int64 [batch, codebooks, frames];
    recognised: see `Drawn`.
    """

    noisy: Tensor
    target: Tensor
    target_latents: Tensor
    tokens: Tensor
    recognised: Tensor | None


@dataclass(frozen=True)
class Drawn:
    """Noisy and clean sound of numbered examples, float32 [batch, samples], with a margin at both ends.

    recognised: what a recogniser, if any, hears in the clean windows: float32 [batch, frames, features].
    """

    numbers: list[int]
    noisy: Tensor
    targets: Tensor
    recognised: Tensor | None = None

    def windows(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Noisy windows, cut as the live window is, and their targets: float32 [batch, frames * 512]."""
        inner = slice(MARGIN_FRAMES * FRAME_SAMPLES, -MARGIN_FRAMES * FRAME_SAMPLES)
        return self.noisy[:, inner].to(device), self.targets[:, inner].to(device)


class Examples:
    """A numbered set of examples; each number always gives the same one, so its tokens are computed once."""

    def __init__(
        self,
        corpus: Corpus,
        degrader: Degrader,
        codec: Codec,
        frames: int,
        seed: int,
        recogniser: Recogniser | None = None,
    ) -> None:
        self._corpus, self._degrader, self._codec = corpus, degrader, codec
        self._frames, self._seed, self._recogniser = frames, seed, recogniser
        self._encoded: dict[int, tuple[Tensor, Tensor]] = {}

    def draw(self, numbers: list[int]) -> Drawn:
        """Make the sound of the examples of these numbers."""
        noisy, targets = map(np.stack, zip(*(self._pair(number) for number in numbers), strict=True))
        recognised = None
        if self._recogniser:
            inner = self._recogniser.hear(targets)[:, MARGIN_FRAMES:-MARGIN_FRAMES]
            recognised = torch.from_numpy(inner)
        return Drawn(numbers, torch.from_numpy(noisy), torch.from_numpy(targets), recognised)

    def batch(self, drawn: Drawn, device: torch.device) -> Batch:
        """The examples that were drawn, whose targets the codec hears in their true surroundings."""
        self._encode(drawn.numbers, drawn.targets.to(device))
        encoded = zip(*(self._encoded[number] for number in drawn.numbers), strict=True)
        latents, tokens = (torch.stack(parts).to(device) for parts in encoded)
        return Batch(*drawn.windows(device), latents.float(), tokens.long(), drawn.recognised)

    def _pair(self, number: int) -> tuple[FloatArray, FloatArray]:
        rng = np.random.default_rng((self._seed, number))
        clean = self._speech((self._frames + 2 * MARGIN_FRAMES) * FRAME_SAMPLES, rng)
        noisy, target = self._degrader.degrade(clean, rng)
        if rng.random() < BEGINNING_SHARE:
            begin = int(rng.uniform(0.0, 0.9) * len(noisy))
            noisy[:begin] = target[:begin] = 0.0
        block = LEVEL_BLOCK_FRAMES * FRAME_SAMPLES
        blocks = noisy[len(noisy) % block :].reshape(-1, block)
        loudest = float(np.sqrt(np.square(blocks).mean(axis=1).max()))
        gain = np.float32(REFERENCE_RMS / max(loudest, FLOOR_RMS) * 10 ** (rng.uniform(-6, 2) / 20))
        return noisy * gain, target * gain

    def _speech(self, samples: int, rng: np.random.Generator) -> FloatArray:
        if rng.random() < VARIED_SHARE:
            return vary_voice(self._corpus.speech_window, samples, rng)
        return self._corpus.speech_window(samples, rng)

    def _encode(self, numbers: list[int], targets: Tensor) -> None:
        new = [place for place, number in enumerate(numbers) if number not in self._encoded]
        if new:
            latents = self._codec.latents(targets[new])
            tokens = self._codec.quantize(latents)
            inside = slice(MARGIN_FRAMES, -MARGIN_FRAMES)
            rows = zip(
                latents[:, :, inside].to("cpu", torch.float16),
                tokens[:, :, inside].to("cpu", torch.int16),
                strict=True,
            )
            self._encoded |= dict(zip([numbers[place] for place in new], rows, strict=True))
