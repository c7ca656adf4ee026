"""Training of the masked language model: `python main.py train lm`.

First the speech encoder alone learns to enhance speech. The language model starts as the codec's quantizer,
so it can make tokens of enhanced speech at once. Then both train, also on masked tokens with cross-entropy,
as in MaskSR (arXiv 2406.02092). A last stage may rehearse the stream.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import soundfile
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.bundle import Bundle, Tensors
from model.data import Corpus
from model.degrade import Degrader
from model.denoiser import denoise
from model.examples import Batch, Drawn, Examples
from model.language_model import LanguageModel, LanguageModelConfig
from model.listeners import Listeners
from model.losses import enhancement_loss, limit_bands
from model.masking import draw_mask
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.prefetch import Prefetch
from model.recogniser import Recogniser, RecogniserLoss, word_loss
from model.rehearsal import Rehearsal, RehearsalConfig
from model.rooms import Room, load_rooms, save_rooms, simulate_rooms
from model.sampler import Draw, sample
from model.speech_encoder import Speech, white_noise
from model.trainer import Trainer, TrainingConfig
from model.training import (
    AveragedWeights,
    TrainingError,
    load_checkpoint,
    read_config,
    save_checkpoint,
    share_gradients,
    workers,
)

EXAMPLE_THREADS = 2
_WORTH_COMPILING_STEPS = 500  # fewer steps take less than it takes to compile


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
    enhancement_weight: float = 100.0
    denoiser_weight: float = 0.0  # of how far it is from what a denoiser makes of speech in noise
    enhancement_windows_samples: tuple[int, ...] = (2048, 1024)  # taken in turn
    recogniser_weight: float = 0.0  # of what the encoder misses of what a speech recogniser hears
    table_rate: float = (
        0.1  # learning rate of embeddings and heads, which start from the codec, over the rest
    )
    rehearsal: RehearsalConfig | None = None


class LanguageModelTrainer(Trainer[LanguageModelTrainingConfig]):
    """One training run on a data set and a bundle's codec, resumable from `checkpoint.pt` in its folder.

    It begins as the codec's quantizer; or with the language model of the bundle `start`, of which only the
    speech encoder is of use if its codec is not that of `bundle`. The critic of a codec's training in the
    folder `critic`, if there is one, knows already what tells made speech from said. Each checkpoint also
    leaves codec and averaged weights as a bundle in the sub-folder `bundle`.
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
        critic: Path | None = None,
    ) -> None:
        super().__init__(config, run, rank, workers)
        self.bundle = bundle
        self.codec = bundle.build_codec(self.device, self.dtype)
        corpus = Corpus(data)
        noises = [corpus.samples(clip) for clip in corpus.noise]
        degrader = Degrader(noises, _rooms(run, config.rooms), corpus.babble)
        teacher = denoise if config.denoiser_weight else None
        self.examples = Examples(corpus, degrader, self.codec, config.frames, config.seed, teacher)
        self.model = LanguageModel(config.language_model, bundle.config.codec).to(self.device)
        listens = config.recogniser_weight or config.word_weight
        self.recogniser = Recogniser(self.dtype).to(self.device) if listens else None
        self.listeners = Listeners(self._weights, config.opinion_every_steps, self.device, self.dtype)
        self.recogniser_loss = RecogniserLoss(config.language_model.width).to(self.device)
        self.critic = self._new_critic() if config.adversarial_weight or config.feature_weight else None
        if critic is not None:
            self._take_on(critic)
        if start is bundle:
            self.model.load_state_dict(self._language_model(bundle))
        else:
            self._start_from_codec(start)
        self.rehearsal = config.rehearsal and Rehearsal(config.rehearsal, self.codec, self.model)
        tables = [*self.model.embedding.parameters(), *self.model.heads.parameters()]
        known = {id(parameter) for parameter in tables}
        others = [parameter for parameter in self._parameters() if id(parameter) not in known]
        groups = [{"params": others, "rate": 1.0}, {"params": tables, "rate": config.table_rate}]
        self.optimizer = torch.optim.AdamW(
            groups, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
        )
        self.average = AveragedWeights(self.model, config.average_decay)
        if config.steps > _WORTH_COMPILING_STEPS:
            for part in (self.model.speech_encoder.transformer, self.model.speech_encoder.fine_gate):
                part.compile()

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.model.parameters(), *self.recogniser_loss.parameters()]

    def _language_model(self, bundle: Bundle) -> Tensors:
        """That of a bundle; layers that its speech encoder lacks begin as nothing."""
        asked, shape = self.config.language_model, bundle.config.language_model
        layers = min(asked.encoder_layers, shape.encoder_layers) if shape else 0
        if shape is None or shape != asked.model_copy(update={"encoder_layers": layers}):
            raise TrainingError(
                f"The bundle's language model is {shape or 'missing'}, the configuration asks for {asked}:"
                " choose one of that shape, or with fewer encoder layers, or start without it."
            )
        return {**self.model.state_dict(), **bundle.language_model}

    def _take_on(self, run: Path) -> None:
        known = load_checkpoint(run / "checkpoint.pt").get("critic")
        try:
            if self.critic is None or known is None:
                raise RuntimeError("there is none")
            self.critic.learn_on_from(known)
        except RuntimeError as error:
            raise TrainingError(
                f"{run} and the configuration need critics of one shape ({error}); name the training"
                " of a codec and a configuration with an adversarial_weight."
            ) from error

    def _start_from_codec(self, start: Bundle | None) -> None:
        self.model.start_from_codec(self.codec)
        encoder = self.model.speech_encoder
        if start is None:
            encoder.set_normalisation(self.examples.draw(list(range(64))).windows(self.device)[0])
            return
        part = "speech_encoder."
        weights = self._language_model(start).items()
        encoder.load_state_dict({n.removeprefix(part): w for n, w in weights if n.startswith(part)})

    def resume(self) -> None:
        state = load_checkpoint(self.run / "checkpoint.pt")
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.recogniser_loss.load_state_dict(state["recogniser_loss"])
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.resume(state["average"], self.step)

    def save(self) -> None:
        state = {
            "step": self.step,
            "config": self.config.model_dump(mode="json"),
            "model": self.model.state_dict(),
            "recogniser_loss": self.recogniser_loss.state_dict(),
            "critic": self.critic and self.critic.state_dict(),
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

    def train(self, progress: Callable[[int, dict[str, float]], None]) -> None:
        """Run to the configured number of steps; `progress` hears each row that is logged."""
        with Prefetch(self._draw, self.config.steps, EXAMPLE_THREADS) as self._coming:
            super().train(progress)

    def _draw(self, step: int) -> Drawn:
        first = step * self.config.batch
        numbers = range(first + self.rank, first + self.config.batch, self.workers)
        return self.examples.draw([number % self.config.examples for number in numbers])

    def _train_step(self) -> dict[str, Tensor]:
        self._set_learning_rates()
        losses = self._losses(self._coming.take(self.step))
        weighted = [weight * losses[name] for name, weight in self._weights.items() if name in losses]
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(weighted).sum().backward()
        share_gradients(self._parameters())
        nn.utils.clip_grad_norm_(self._parameters(), 1.0)
        self.optimizer.step()
        self.average.update(self.model)
        return losses

    @property
    def _weights(self) -> dict[str, float]:
        return {
            "tokens": 1.0,
            "enhancement": self.config.enhancement_weight,
            "denoiser": self.config.denoiser_weight,
            "recogniser": self.config.recogniser_weight,
            "words": self.config.word_weight,
            "opinion": self.config.opinion_weight,
            "second_opinion": self.config.second_opinion_weight,
            "adversarial": self.config.adversarial_weight,
            "feature": self.config.feature_weight,
        }

    def _losses(self, drawn: Drawn) -> dict[str, Tensor]:
        if self.step < self.config.encoder_steps:
            denoised = drawn.denoised_windows(self.device) if self.config.denoiser_weight else None
            return self._hear(*drawn.windows(self.device), drawn.bands_hz, denoised)[0]
        batch, given, deaf = self._hide(self.examples.batch(drawn, self.device))
        losses, speech = self._hear(batch.noisy, batch.target, batch.bands_hz)
        with self._mixed_precision():
            condition = self.model.condition(self.codec.latents(speech.enhanced), speech.known)
            condition = torch.where(deaf[:, None, None], self.model.no_condition, condition)
            return losses | self._token_losses(batch, given, condition)

    def _hear(
        self, noisy: Tensor, target: Tensor, bands_hz: Tensor, denoised: Tensor | None = None
    ) -> tuple[dict[str, Tensor], Speech]:
        """The losses of the speech encoder, and what it heard."""
        windows = self.config.enhancement_windows_samples
        with self._mixed_precision():
            speech = self.model.speech_encoder(noisy, white_noise(noisy, self._generator()))
        known = partial(limit_bands, bands_hz=bands_hz.to(self.device))
        window = windows[self.step % len(windows)]
        found, wanted = known(speech.enhanced), known(target)
        losses = {"enhancement": enhancement_loss(found, wanted, window)}
        if self.critic is not None:
            rate = self.config.critic_rate * self._learning_rate
            losses |= self.critic.judge(wanted, found, rate, self.step)
        if denoised is not None:
            losses["denoiser"] = enhancement_loss(found, known(denoised), window, loss_of_speech=1.0)
        losses |= self._recognised(speech, target)
        return losses | self.listeners.losses(self.step, speech.enhanced, target), speech

    def _recognised(self, speech: Speech, target: Tensor) -> dict[str, Tensor]:
        if self.recogniser is None:
            return {}
        with torch.no_grad():
            wanted = self.recogniser(target)
        losses = {"recogniser": self.recogniser_loss(speech.known, wanted[-1])}
        if self.config.word_weight:
            losses["words"] = word_loss(self.recogniser(speech.enhanced), wanted)
        return losses

    def _generator(self) -> torch.Generator:
        """Of this step and process alone, so that a run goes on as if it had never been stopped."""
        return torch.Generator().manual_seed((self.config.seed << 40) + (self.step << 8) + self.rank)

    def _mixed_precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def _hide(self, batch: Batch) -> tuple[Batch, Tensor, Tensor]:
        """The examples, their tokens of which some are masked, and who shall not hear, bool [batch]."""
        generator = self._generator()
        masked = draw_mask(batch.tokens.shape, self.config.newest_frames, generator).to(self.device)
        deaf = torch.rand(len(masked), generator=generator) < self.config.no_condition_share
        given = torch.where(masked, self.model.mask_token, batch.tokens)
        if self.rehearsal and torch.rand((), generator=generator) < self.rehearsal.share:
            batch, given = self.rehearsal.rehearse(batch, generator)
        return batch, given, deaf.to(self.device)

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
        batch = self.examples.batch(self.examples.draw(numbers), self.device)
        noise = white_noise(batch.noisy, self._generator())
        condition, _ = self.model.encode(batch.noisy, noise, self.codec)
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
    critic: Path | None = None,
) -> None:
    """Train the language model that `config_path` describes for the codec of the bundle in folder `codec`.

    It begins with that of the bundle in folder `start` and the critic of the codec's training in folder
    `critic`, if any; raises TrainingError if one of these is of another shape.
    """
    config = read_config(config_path, LanguageModelTrainingConfig)
    with workers() as (rank, count):
        bundle = Bundle.load(codec)
        begin = bundle if start == codec else None if start is None else Bundle.load(start)
        trainer = LanguageModelTrainer(config, data, bundle, run, rank, count, begin, critic)
        if resume:
            trainer.resume()
        trainer.train(progress)
