"""Rehearsal of rolling sampling: training on the very states that a stream of its own tokens visits."""

from dataclasses import replace

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from torch import Tensor

from model.codec import Codec
from model.examples import Batch
from model.language_model import LanguageModel
from model.plan import FRAME_SAMPLES, WindowPlan
from model.rolling import RollingSampler
from model.sampler import Draw, Predict
from model.speech_encoder import white_noise


class RehearsalConfig(BaseModel):
    """Streams to rehearse: their hop and look-ahead, sampled in one pass a hop, and the share of steps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hop_frames: PositiveInt
    lookahead_frames: NonNegativeInt
    share: float = 0.5


class Rehearsal:
    """Makes training examples of batches by letting the model stream into them."""

    def __init__(self, config: RehearsalConfig, codec: Codec, model: LanguageModel) -> None:
        self.share = config.share
        self._config, self._codec, self._model = config, codec, model
        self._completion = Completion(codec, model.mask_token)

    @torch.no_grad()
    def rehearse(self, batch: Batch, generator: torch.Generator) -> tuple[Batch, Tensor]:
        """Stream up to the end of `batch`, in one hop or several.

        Returns:
            the last window, cut out of the batch, with the tokens that complete the state as its own; and
            the state, int64 [batch, codebooks, frames], as the model meets it before its last pass. The
            tokens before its hops are those of the target, all others the model's or masked.
        """
        config, frames = self._config, batch.tokens.shape[2]
        visits = 1 + config.lookahead_frames // config.hop_frames
        hops = int(torch.randint(visits + 1, (), generator=generator))  # before the last window
        newest = config.hop_frames + config.lookahead_frames
        context = frames - hops * config.hop_frames - newest
        plan = WindowPlan(context, config.hop_frames, config.lookahead_frames, fade_samples=0)
        sampler = RollingSampler(plan, batch.tokens[:, :, :1], self._model.mask_token)
        sampler.tokens[:, :, :context] = batch.tokens[:, :, :context]
        for hop in range(hops):
            heard = self._cut(batch, hop * plan.hop_frames, plan.window_frames)
            noise = white_noise(heard.noisy, generator)
            condition, _ = self._model.encode(heard.noisy, noise, self._codec)
            sampler.next_window(self._predict(condition, context), 1, Draw(self._model.mask_token, 0.0, []))
        window, state = self._cut(batch, hops * plan.hop_frames, plan.window_frames), sampler.tokens
        return replace(window, tokens=self._completion.complete(state, window.target_latents)), state

    def _predict(self, condition: Tensor, first_frame: int) -> Predict:
        return lambda tokens: self._model(tokens, condition, first_frame=first_frame)

    def _cut(self, batch: Batch, first: int, frames: int) -> Batch:
        """A window of a batch, heard as a live one is: nothing of what follows it is known."""
        samples = slice(first * FRAME_SAMPLES, (first + frames) * FRAME_SAMPLES)
        inside = slice(first, first + frames)
        return Batch(
            batch.noisy[:, samples],
            batch.target[:, samples],
            batch.target_latents[:, :, inside],
            batch.tokens[:, :, inside],
            batch.bands_hz,
        )


class Completion:
    """The tokens that a codec's quantizer would choose after others that it did not choose itself."""

    def __init__(self, codec: Codec, mask_token: int) -> None:
        self._mask_token, self._vectors = mask_token, codec.vectors()
        self._weight, self._bias = codec.lookup()

    def complete(self, tokens: Tensor, latents: Tensor) -> Tensor:
        """Replace the masked tokens so that, level by level, they make up for what the others miss.

        Args:
            tokens: int64 [batch, codebooks, frames].
            latents: of the target, float32 [batch, channels, frames].
        """
        missing, completed = latents.transpose(1, 2), []
        for level, vectors in enumerate(self._vectors):
            with torch.autocast(latents.device.type, enabled=False):  # small differences change a token
                nearest = (missing @ self._weight[level].T + self._bias[level]).argmax(-1)
            chosen = torch.where(tokens[:, level] == self._mask_token, nearest, tokens[:, level])
            missing = missing - vectors[chosen]
            completed.append(chosen)
        return torch.stack(completed, dim=1)
