"""Training of the masked language model: `python main.py train lm`.

First the speech encoder alone learns to turn the latents of noisy audio into those of its clean target. The
language model starts as the codec's quantizer, so it can make tokens of these at once. Then both train on
masked tokens with cross-entropy, as in MaskSR (arXiv 2406.02092). A last stage may rehearse the stream.
"""

from collections.abc import Callable
from pathlib import Path

import soundfile
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.bundle import Bundle, Tensors
from model.data import Corpus
from model.degrade import Degrader
from model.examples import Batch, Examples
from model.language_model import LanguageModel, LanguageModelConfig
from model.masking import draw_mask
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.rehearsal import Rehearsal, RehearsalConfig
from model.rooms import Room, load_rooms, save_rooms, simulate_rooms
from model.sampler import Draw, sample
from model.trainer import Trainer, TrainingConfig
from model.training import (
    AveragedWeights,
    TrainingError,
    cosine_schedule,
    load_checkpoint,
    read_config,
    save_checkpoint,
    share_gradients,
    workers,
)


class LanguageModelTrainingConfig(TrainingConfig):
    """A training configuration file (TOML)."""

    language_model: LanguageModelConfig
    frames: int = 112
    newest_frames: tuple[int, int] = (12, 48)
    examples: int = 20_000  # distinct degraded windows; seen again with other masks
    rooms: int = 120
    learning_rate: float = 5e-4
    warmup_steps: int = 100
    weight_decay: float = 0.01
    no_condition_share: float = 0.1
    encoder_steps: int = 0  # of the steps, the first ones, for the speech encoder alone
    latents_weight: float = 6.0
    envelope_weight: float = 20.0
    table_rate: float = (
        0.1  # learning rate of embeddings and heads, which start from the codec, over the rest
    )
    rehearsal: RehearsalConfig | None = None


class LanguageModelTrainer(Trainer[LanguageModelTrainingConfig]):
    """One training run on a data set and a bundle's codec, resumable from `checkpoint.pt` in its folder.

    It begins as the codec's quantizer; or with the language model of the bundle `start`, of which only the
    speech encoder is of use if its codec is not that of `bundle`. Each checkpoint also leaves codec and
    averaged weights as a bundle in the sub-folder `bundle`.
    """

    def __init__(
        self,
        config: LanguageModelTrainingConfig,
        data: Path,
        bundle: Bundle,
        run: Path,
        rank: int = 0,
        workers: int = 1,
        start: Bundle | None = None,
    ) -> None:
        super().__init__(config, run, rank, workers)
        self.bundle = bundle
        self.codec = bundle.build_codec(self.device, self.dtype)
        corpus = Corpus(data)
        noises = [corpus.samples(clip) for clip in corpus.noise]
        degrader = Degrader(noises, _rooms(run, config.rooms), corpus.babble)
        self.examples = Examples(corpus, degrader, self.codec, config.frames, config.seed)
        self.model = LanguageModel(config.language_model, bundle.config.codec).to(self.device)
        if start is bundle:
            self.model.load_state_dict(self._language_model(bundle))
        else:
            self._start_from_codec(start)
        self.rehearsal = config.rehearsal and Rehearsal(config.rehearsal, self.codec, self.model)
        tables = [*self.model.embedding.parameters(), *self.model.heads.parameters()]
        known = {id(parameter) for parameter in tables}
        others = [parameter for parameter in self.model.parameters() if id(parameter) not in known]
        groups = [{"params": others, "rate": 1.0}, {"params": tables, "rate": config.table_rate}]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=config.weight_decay)
        self.average = AveragedWeights(self.model, config.average_decay)

    def _language_model(self, bundle: Bundle) -> Tensors:
        if (shape := bundle.config.language_model) != self.config.language_model:
            raise TrainingError(
                f"The bundle's language model is {shape or 'missing'}, the configuration asks for"
                f" {self.config.language_model}: choose one of that shape, or start without it."
            )
        return bundle.language_model

    def _start_from_codec(self, start: Bundle | None) -> None:
        self.model.start_from_codec(self.codec)
        encoder, batch = self.model.speech_encoder, self.examples.batch(list(range(64)), self.device)
        if start is None:
            encoder.set_normalisation(batch.noisy)
            return
        part = "speech_encoder."
        weights = self._language_model(start).items()
        encoder.load_state_dict({n.removeprefix(part): w for n, w in weights if n.startswith(part)})
        before = start.build_codec(self.device, self.dtype).latents(batch.noisy)
        encoder.rescale_latents(_levels(batch.noisy_latents) / _levels(before))

    def resume(self) -> None:
        state = load_checkpoint(self.run / "checkpoint.pt")
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.resume(state["average"], self.step)

    def save(self) -> None:
        state = {
            "step": self.step,
            "config": self.config.model_dump(mode="json"),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state,
        }
        save_checkpoint(self.run / "checkpoint.pt", state)
        weights = {name: value.half() for name, value in self.average.state.items()}
        shape = self.bundle.config.model_copy(update={"language_model": self.config.language_model})
        Bundle(shape, self.bundle.codec, weights).save(self.run / "bundle")

    @property
    def _samples_a_step(self) -> int:
        return self.config.batch * self.config.frames * FRAME_SAMPLES

    def _numbers(self) -> list[int]:
        first = self.step * self.config.batch
        numbers = range(first + self.rank, first + self.config.batch, self.workers)
        return [number % self.config.examples for number in numbers]

    def _train_step(self) -> dict[str, Tensor]:
        batch = self.examples.batch(self._numbers(), self.device)
        for group in self.optimizer.param_groups:
            factor = cosine_schedule(self.step, self.config.steps, self.config.warmup_steps)
            group["lr"] = self.config.learning_rate * factor * group["rate"]
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            losses, total = self._losses(*self._hide(batch))
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        share_gradients(self.model.parameters())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.average.update(self.model)
        return losses

    def _hide(self, batch: Batch) -> tuple[Batch, Tensor, Tensor]:
        """The examples, their tokens of which some are masked, and who shall not hear, bool [batch]."""
        generator = torch.Generator().manual_seed((self.config.seed << 40) + (self.step << 8) + self.rank)
        masked = draw_mask(batch.tokens.shape, self.config.newest_frames, generator).to(self.device)
        deaf = torch.rand(len(masked), generator=generator) < self.config.no_condition_share
        given = torch.where(masked, self.model.mask_token, batch.tokens)
        if self.rehearsal and torch.rand((), generator=generator) < self.rehearsal.share:
            batch, given = self.rehearsal.rehearse(batch, generator)
        return batch, given, deaf.to(self.device)

    def _losses(self, batch: Batch, given: Tensor, deaf: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        encoder_alone = self.step < self.config.encoder_steps
        condition = self.model.encode(batch.noisy, batch.noisy_latents)
        if encoder_alone:
            losses = self._latent_losses(batch, condition)
            weights = {"latents": self.config.latents_weight, "envelope": self.config.envelope_weight}
            return losses, sum(
                (weights[name] * loss for name, loss in losses.items()), condition.new_zeros(())
            )
        condition = torch.where(deaf[:, None, None], self.model.no_condition, condition)
        losses = self._token_losses(batch, given, condition)
        return losses, losses["tokens"]

    def _latent_losses(self, batch: Batch, condition: Tensor) -> dict[str, Tensor]:
        wanted = batch.target_latents.transpose(1, 2)
        heard = condition[:, :, : wanted.shape[2]].float()
        return {
            "latents": F.mse_loss(compress(heard), compress(wanted)),
            "envelope": F.mse_loss(envelope(heard), envelope(wanted)),
        }

    def _token_losses(self, batch: Batch, given: Tensor, condition: Tensor) -> dict[str, Tensor]:
        logits = self.model(given, condition, chosen=batch.tokens)
        places = (given == self.model.mask_token).transpose(1, 2)
        wanted = batch.tokens.transpose(1, 2)[places]
        tokens = F.cross_entropy(logits[places].float(), wanted, reduction="sum") / max(1, len(wanted))
        losses = {"tokens": tokens}
        if (coarse := places[..., 0]).any():
            right = logits[..., 0, :].argmax(-1)[coarse] == batch.tokens[:, 0][coarse]
            losses["coarse_accuracy"] = right.float().mean()
        return losses

    @torch.no_grad()
    def _render(self) -> None:
        """Write noisy, restored and target of four examples no training step draws, as `sample.flac`."""
        numbers = list(range(self.config.examples, self.config.examples + 4))
        batch = self.examples.batch(numbers, self.device)
        condition = self.model.encode(batch.noisy, batch.noisy_latents)
        tokens = sample(
            lambda tokens: self.model(tokens, condition),
            batch.tokens,
            torch.zeros(batch.tokens.shape[1:], dtype=torch.bool, device=self.device),
            8,
            Draw(self.model.mask_token, 0.5, [torch.Generator().manual_seed(n) for n in numbers]),
        )
        parts = [batch.noisy, self.codec.decode(tokens), self.codec.decode(batch.tokens)]
        audio = torch.stack(parts, 1).flatten().clamp(-1, 1).cpu().numpy()
        soundfile.write(self.run / "sample.flac", audio, SAMPLE_RATE_HZ)


def compress(latents: Tensor) -> Tensor:
    """Square root of large values, sign kept, so that quiet speech counts in a squared error."""
    return latents / (latents.abs() + 0.1).sqrt()


def envelope(latents: Tensor) -> Tensor:
    """Root of the level around each place of latents [batch, frames, channels], whatever the phase.

    Without it, what is uncertain in phase would be predicted too quiet.
    """
    level = F.avg_pool2d(latents.square(), 3, stride=1, padding=1, count_include_pad=False)
    return (level + 1e-4) ** 0.25


def _levels(latents: Tensor) -> Tensor:
    """Of each channel of [batch, channels, frames]."""
    return latents.square().mean((0, 2)).sqrt()


def _rooms(run: Path, count: int) -> list[Room]:
    path = run / "rooms.npz"
    if not path.exists():
        save_rooms(path, simulate_rooms(count, seed=0))
    return load_rooms(path)


def train(
    config_path: Path,
    data: Path,
    codec: Path,
    run: Path,
    resume: bool,
    progress: Callable[[int, dict[str, float]], None],
    start: Path | None = None,
) -> None:
    """Train the language model that `config_path` describes for the codec of the bundle in folder `codec`.

    It begins with that of the bundle in folder `start`, if any; raises TrainingError if that is of another
    shape.
    """
    config = read_config(config_path, LanguageModelTrainingConfig)
    with workers() as (rank, count):
        bundle = Bundle.load(codec)
        begin = bundle if start == codec else None if start is None else Bundle.load(start)
        trainer = LanguageModelTrainer(config, data, bundle, run, rank, count, begin)
        if resume:
            trainer.resume()
        trainer.train(progress)
