"""Training examples of the language model: degraded windows and the codec tokens of their clean targets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.codec import MARGIN_FRAMES, Codec
from model.data import Corpus
from model.degrade import Degraded, Degrader
from model.level import FLOOR_RMS, REFERENCE_RMS
from model.plan import FRAME_SAMPLES
from model.voice import vary_voice

LEVEL_BLOCK_FRAMES = 16
BEGINNING_SHARE = 0.15  # of the windows, as those of a stream that has just begun, start in silence
ENDING_SHARE = 0.1  # end in silence, as where a file ends or a microphone is muted
VARIED_SHARE = 0.5  # of the windows, with voices that nobody recorded

Denoise = Callable[[FloatArray], FloatArray]  # float32 [samples] at 44.1 kHz to the same


@dataclass(frozen=True)
class Batch:
    """Some examples.

    noisy, target: float32 [batch, frames * 512];
    target_latents: float32 [batch, channels, frames];
    tokens, of the target: int64 [batch, codebooks, frames];
    bands_hz: see `Drawn`.
    """

    noisy: Tensor
    target: Tensor
    target_latents: Tensor
    tokens: Tensor
    bands_hz: Tensor


@dataclass(frozen=True)
class Drawn:
    """Noisy and clean sound of numbered examples, float32 [batch, samples], with a margin at both ends.

    bands_hz: up to where each target tells how speech sounds, int64 [batch];
    denoised: of the same shape as sound, what a denoiser makes of the clean speech in the noise, else clean.
    """

    numbers: list[int]
    noisy: Tensor
    targets: Tensor
    bands_hz: Tensor
    denoised: Tensor

    def windows(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Noisy windows, cut as the live window is, and their targets: float32 [batch, frames * 512]."""
        return _window(self.noisy, device), _window(self.targets, device)

    def denoised_windows(self, device: torch.device) -> Tensor:
        """What a denoiser makes of these, float32 [batch, frames * 512]."""
        return _window(self.denoised, device)


def _window(sound: Tensor, device: torch.device) -> Tensor:
    return sound[:, MARGIN_FRAMES * FRAME_SAMPLES : -MARGIN_FRAMES * FRAME_SAMPLES].to(device)


class Examples:
    """A numbered set of examples; each number always gives the same one, so its tokens are computed once."""

    def __init__(
        self,
        corpus: Corpus,
        degrader: Degrader,
        codec: Codec,
        frames: int,
        seed: int,
        denoise: Denoise | None = None,
    ) -> None:
        self._corpus, self._degrader, self._codec = corpus, degrader, codec
        self._frames, self._seed, self._denoise = frames, seed, denoise
        self._encoded: dict[int, tuple[Tensor, Tensor]] = {}

    def draw(self, numbers: list[int]) -> Drawn:
        """Make the sound of the examples of these numbers."""
        pairs = zip(*(self._pair(number) for number in numbers), strict=True)
        return Drawn(numbers, *(torch.from_numpy(np.stack(parts)) for parts in pairs))

    def batch(self, drawn: Drawn, device: torch.device) -> Batch:
        """The examples that were drawn, whose targets the codec hears in their true surroundings."""
        self._encode(drawn.numbers, drawn.targets.to(device))
        encoded = zip(*(self._encoded[number] for number in drawn.numbers), strict=True)
        latents, tokens = (torch.stack(parts).to(device) for parts in encoded)
        return Batch(*drawn.windows(device), latents.float(), tokens.long(), drawn.bands_hz)

    def _pair(self, number: int) -> tuple[FloatArray, FloatArray, int, FloatArray]:
        rng = np.random.default_rng((self._seed, number))
        clean, band_hz = self._speech((self._frames + 2 * MARGIN_FRAMES) * FRAME_SAMPLES, rng)
        degraded = self._degrader.degrade(clean, rng)
        if rng.random() < BEGINNING_SHARE:
            begin = int(rng.uniform(0.0, 0.9) * len(clean))
            degraded = degraded.changed(lambda sound: _silenced(sound, slice(begin)))
        if rng.random() < ENDING_SHARE:
            end = int(rng.uniform(0.1, 1.0) * len(clean))
            degraded = degraded.changed(lambda sound: _silenced(sound, slice(end, None)))
        block = LEVEL_BLOCK_FRAMES * FRAME_SAMPLES
        blocks = degraded.noisy[len(clean) % block :].reshape(-1, block)
        loudest = float(np.sqrt(np.square(blocks).mean(axis=1).max()))
        gain = np.float32(REFERENCE_RMS / max(loudest, FLOOR_RMS) * 10 ** (rng.uniform(-6, 2) / 20))
        levelled = degraded.changed(lambda sound: sound * gain)
        return levelled.noisy, levelled.target, band_hz, self._denoised(levelled)

    def _denoised(self, degraded: Degraded) -> FloatArray:
        """The target, or what a denoiser hears of it if that is nearer to it than to the noise."""
        target, in_noise = degraded.target, degraded.in_noise
        if self._denoise is None or in_noise is None:
            return target
        denoised = self._denoise(in_noise)
        is_of_use = np.square(denoised - target).sum() < 0.5 * np.square(in_noise - target).sum()
        return denoised if is_of_use else target

    def _speech(self, samples: int, rng: np.random.Generator) -> tuple[FloatArray, int]:
        speak = self._corpus.banded_speech_window
        return vary_voice(speak, samples, rng) if rng.random() < VARIED_SHARE else speak(samples, rng)

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


def _silenced(sound: FloatArray, where: slice) -> FloatArray:
    sound = sound.copy()
    sound[where] = 0.0
    return sound
