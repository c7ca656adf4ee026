"""Training of the codec: `python main.py train codec`.

It begins with a transform codec in closed form. Then either the decoder alone learns, of tokens that stay, or
all of it. Critic and optimiser follow Kumar et al. 2023 (RVQGAN).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import soundfile
import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from model.arrays import FloatArray
from model.bundle import Bundle, BundleConfig
from model.channels_last import to_channels_last, to_image
from model.codebook_averages import CodebookAverages
from model.codec import CodecConfig, build_dac
from model.codec_start import (
    balance_channels,
    interleaving_steps,
    start_as_filter_bank,
    start_codebooks,
    start_noise,
    wake,
)
from model.data import Corpus
from model.filter_bank import FilterBank, folded, weight_of
from model.learning_parts import freeze_decoder, freeze_encoder, parameter_groups
from model.level import FLOOR_RMS, REFERENCE_RMS
from model.listeners import Listeners
from model.losses import MultiScaleMelLoss, limit_bands, resynthesis_loss
from model.noise_filling import NoiseFilling, powers_by_entry
from model.plan import SAMPLE_RATE_HZ
from model.recogniser import Recogniser, word_loss
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
from model.treble import TrebleMatch

LEVELS_DB = (-6.0, 3.0)  # of windows, about that of a stream
RENDERED_LEVEL = 0.5  # peaks of samples: below those that the decoder would round off
TREBLE_BATCHES = 32
INNER_FRAMES = slice(4, -4)  # of a window: at its edges frames lack a neighbour


class CodecTrainingConfig(TrainingConfig):
    """A training configuration file (TOML)."""

    codec: CodecConfig
    window_samples: int = 16_384
    learning_rate: float = 7e-5
    warmup_steps: int = 200
    critic_from_step: int
    start_windows: int = 2048  # of speech, from which the codebooks start
    start_rounds: int = 0  # in which the codebooks are then fitted to each other
    search_width: PositiveInt = 1  # of the quantizer, where it does not train
    codebook_decay: float = 0.997  # of averages that codebook entries are; with less, of too few frames
    noise_regions: int = 0  # where sound that the tokens do not carry becomes noise
    freeze_tokens: bool = False  # train the decoder alone: language models of the codec stay valid
    encoder_units: tuple[int, ...] | None = None  # residual units that learn, of its last blocks; None: all
    decoder_units: tuple[int, ...] | None = None  # the same, of its first blocks
    structure_rate: float = 1.0  # learning rate of what starts in closed form, over that of residual units
    mel_scales: dict[int, int] = Field({2048: 160, 1024: 100, 512: 60, 256: 30})  # bands by window
    spectral_windows_samples: tuple[int, ...] = (2048, 1024, 512, 256)
    spectral_weight: float = 5.0
    mel_weight: float = 0.5
    feature_weight: float = 0.1
    adversarial_weight: float = 0.05
    commitment_weight: float = 0.3

    @model_validator(mode="after")
    def _room_for_noise(self) -> Self:
        steps = interleaving_steps(self.codec.decoder_rates)
        least = math.prod(self.codec.decoder_rates[steps:]) << steps
        if self.noise_regions and self.codec.decoder_dim < least:
            raise ValueError(f"noise regions want a decoder_dim of at least {least} at these rates")
        return self


class CodecTrainer(Trainer[CodecTrainingConfig]):
    """One codec training run over a prepared data set, resumable from `checkpoint.pt` in its folder.

    It begins with the weights of the bundle `start`, or else with a transform codec in closed form. Each
    checkpoint also leaves the averaged weights as a bundle in the sub-folder `bundle`, together with the
    language model of `start` if the tokens are frozen.
    """

    def __init__(
        self,
        config: CodecTrainingConfig,
        data: Path,
        run: Path,
        start: Bundle | None = None,
        rank: int = 0,
        workers: int = 1,
    ) -> None:
        super().__init__(config, run, rank, workers)
        self.start = start
        self.corpus = Corpus(data)
        self.dac = build_dac(config.codec).to(self.device).train()
        if start is None:
            start_as_filter_bank(self.dac, config.noise_regions)
        else:
            self.dac.load_state_dict(start.codec)
        self._choose_what_learns()
        self._encoder, self._decoder = (
            to_channels_last(folded(steps, self.dtype))
            for steps in (self.dac.encoder.block, self.dac.decoder.model)
        )
        self.critic = self._new_critic()
        self.mel_loss = MultiScaleMelLoss(config.mel_scales).to(self.device)
        self.recogniser = Recogniser(self.dtype).to(self.device) if config.word_weight else None
        self.listeners = Listeners(self._weights, config.opinion_every_steps, self.device, self.dtype)
        groups = parameter_groups(self.dac, config.structure_rate)
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99))
        self._start_averages()

    def _start_averages(self) -> None:
        self.average = AveragedWeights(self.dac, self.config.average_decay)
        is_encoded = weight_of(self.dac.encoder.block[-1]).flatten(1).any(1)  # the others are noise
        self.codebooks = CodebookAverages(self.dac, is_encoded, self.config.codebook_decay)

    def _choose_what_learns(self) -> None:
        config = self.config
        self.dac.quantizer.requires_grad_(False)  # its entries are averages
        self._tokens_of = None
        if config.freeze_tokens:
            self.dac.encoder.requires_grad_(False)
            assert self.start is not None  # `train` sees to it
            shape = self.start.config.model_copy(update={"search_width": config.search_width})
            self._tokens_of = replace(self.start, config=shape).build_codec(self.device, self.dtype)
        if config.encoder_units is not None:
            freeze_encoder(self.dac, config.encoder_units)
        if config.decoder_units is not None:
            freeze_decoder(self.dac, config.decoder_units)
        if config.steps:
            wake(self.dac)

    def resume(self) -> None:
        state = load_checkpoint(self.run / "checkpoint.pt")
        self.step = state["step"]
        self.dac.load_state_dict(state["dac"])
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.resume(state["average"], self.step)
        self.codebooks.load_state_dict(state["codebooks"])

    def save(self) -> None:
        state: dict[str, Any] = {
            "step": self.step,
            "config": self.config.model_dump(mode="json"),
            "dac": self.dac.state_dict(),
            "critic": self.critic.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state,
            "codebooks": self.codebooks.state_dict(),
        }
        save_checkpoint(self.run / "checkpoint.pt", state)
        self._bundle(self.average.state).save(self.run / "bundle")

    def _bundle(self, state: Mapping[str, Tensor]) -> Bundle:
        weights = {name: value.half() for name, value in state.items()}
        if self.start is not None and self.config.freeze_tokens:
            return replace(self.start, codec=weights)
        return Bundle(BundleConfig(codec=self.config.codec, search_width=self.config.search_width), weights)

    def train(self, progress: Callable[[int, dict[str, float]], None]) -> None:
        """Run to the configured number of steps; `progress` hears each row that is logged."""
        if self.step == 0 and self.start is None:
            self._start_codebooks()
        super().train(progress)
        ends_in_a_bank = self.config.decoder_units is not None
        if self.config.steps and ends_in_a_bank and self.rank == 0:
            self._match_treble()

    @torch.no_grad()
    def _match_treble(self) -> None:
        """Leave a bundle whose treble is as loud as that of speech; the checkpoint stays as it is."""
        codec = self._bundle(self.average.state).build_codec(self.device, self.dtype)
        dac = build_dac(self.config.codec)
        dac.load_state_dict(self.average.state)
        match, rng = TrebleMatch(dac), np.random.default_rng(self.config.seed)
        for _ in range(TREBLE_BATCHES):
            windows, bands_hz = self._windows(self.config.batch, rng)
            speech = torch.from_numpy(windows)
            match.hear(codec.decode(codec.encode(speech.to(self.device))).cpu(), speech, bands_hz)
        match.apply()
        self._bundle(dac.state_dict()).save(self.run / "bundle")

    @property
    def _samples_a_step(self) -> int:
        return self.config.batch * self.config.window_samples

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Clean speech [batch, samples] at about the level of a stream, and its bands in Hz."""
        rng = np.random.default_rng((self.config.seed, self.step, self.rank))
        windows, bands_hz = self._windows(self.config.batch // self.workers, rng)
        return torch.from_numpy(windows).to(self.device), bands_hz.to(self.device)

    def _train_step(self) -> dict[str, Tensor]:
        real, bands_hz = self._batch()
        self._set_learning_rates()
        quantized, losses = self._quantize(real)
        fake, real = (limit_bands(audio, bands_hz) for audio in (self._decode(quantized), real))
        sizes = self.config.spectral_windows_samples  # which take turns
        losses["spectral"] = resynthesis_loss(fake, real, sizes[self.step % len(sizes)])
        losses["mel"] = self.mel_loss(fake, real, self.step)
        losses |= self.listeners.losses(self.step, fake, real)
        if self.recogniser is not None:
            losses["words"] = word_loss(self.recogniser(fake), self.recogniser(real))
        if self.step >= self.config.critic_from_step:
            rate = self.config.critic_rate * self._learning_rate
            losses |= self.critic.judge(real, fake, rate, self.step)
        weighted = [weight * losses[name] for name, weight in self._weights.items() if name in losses]
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(weighted).sum().backward()
        share_gradients(self.dac.parameters())
        nn.utils.clip_grad_norm_(self.dac.parameters(), 10.0)
        self.optimizer.step()
        self.average.update(self.dac)
        return losses

    @property
    def _weights(self) -> dict[str, float]:
        return {
            "spectral": self.config.spectral_weight,
            "mel": self.config.mel_weight,
            "feature": self.config.feature_weight,
            "adversarial": self.config.adversarial_weight,
            "commitment": self.config.commitment_weight,
            "words": self.config.word_weight,
            "opinion": self.config.opinion_weight,
            "second_opinion": self.config.second_opinion_weight,
        }

    def _quantize(self, real: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Quantized latents [batch, channels, frames], and the loss of the quantizer if it learns."""
        if self._tokens_of is not None:
            quantized: Tensor = self.dac.quantizer.from_codes(self._tokens_of.encode(real))[0]
            return quantized.detach(), {}
        quantized, commitment = self.codebooks.quantize(self._encode(real))
        return quantized, {"commitment": commitment}

    def _decode(self, quantized: Tensor) -> Tensor:
        """Audio [batch, samples]."""
        audio: Tensor = self._decoder(to_image(quantized, self.dtype))
        return audio.float()[:, 0, 0]

    def _encode(self, real: Tensor) -> Tensor:
        dtype = torch.float32 if isinstance(self._encoder[0], FilterBank) else self.dtype
        latents: Tensor = self._encoder(to_image(real[:, None], dtype)).squeeze(2).float()
        return latents

    @torch.no_grad()
    def _start_codebooks(self) -> None:
        regions, size = self.config.noise_regions, self.config.codec.codebook_size
        filling = NoiseFilling(self.dac.latent_dim - regions, regions)
        latents, powers, known = self._hear_speech(filling)
        balanced, gains = balance_channels(self.dac, latents)
        tokens, left = start_codebooks(self.dac, balanced, regions, self.config.start_rounds)
        if regions:
            powers += filling.left((left / gains)[:, : filling.carried])
            start_noise(self.dac, filling.shares * powers_by_entry(tokens, powers, known, size))
        self._start_averages()

    def _hear_speech(self, filling: NoiseFilling) -> tuple[Tensor, Tensor, Tensor]:
        """The speech to start from.

        Returns:
            its latents, float32 [windows, channels, frames]; the powers that these do not carry, float32
            [windows * frames, regions]; and where those are known, bool of the same shape.
        """
        fresh = Bundle(BundleConfig(codec=self.config.codec), self.dac.state_dict())
        codec = fresh.build_codec(self.device, self.dtype)
        rng = np.random.default_rng(self.config.seed)  # the same speech in every process
        parts = []
        for _ in range(0, self.config.start_windows, 32):
            windows, bands_hz = self._windows(32, rng)
            audio = torch.from_numpy(windows)
            latents = codec.latents(audio.to(self.device))[..., INNER_FRAMES].cpu()
            powers = filling.not_carried(audio)[:, INNER_FRAMES]
            parts.append((latents, powers, filling.known(bands_hz)[:, None].expand_as(powers)))
        latents, powers, known = (torch.cat(part) for part in zip(*parts, strict=True))
        return latents, powers.flatten(0, 1), known.flatten(0, 1)

    def _windows(self, count: int, rng: np.random.Generator) -> tuple[FloatArray, Tensor]:
        """Clean speech [count, samples] at about the level of a stream, and its bands in Hz."""
        drawn = [self.corpus.banded_speech_window(self.config.window_samples, rng) for _ in range(count)]
        windows = np.stack([window for window, _ in drawn])
        levels = np.sqrt(np.mean(np.square(windows), axis=1, keepdims=True)).clip(FLOOR_RMS)
        gains = 10 ** (rng.uniform(*LEVELS_DB, (count, 1)) / 20) * REFERENCE_RMS / levels
        return (windows * gains).astype(np.float32), torch.tensor([band_hz for _, band_hz in drawn])

    @torch.no_grad()
    def _render(self) -> None:
        """Write what went in and what came out of a fixed batch, one after the other, as `sample.flac`."""
        real = self._fixed_batch()
        fake = self._decode(self._quantize(real)[0])
        pairs = torch.stack([real, fake], 1).flatten().clamp(-1, 1).cpu().numpy()
        soundfile.write(self.run / "sample.flac", pairs, SAMPLE_RATE_HZ)

    def _fixed_batch(self) -> Tensor:
        rng = np.random.default_rng(self.config.seed)
        windows = [self.corpus.speech_window(2 * SAMPLE_RATE_HZ // 512 * 512, rng) for _ in range(4)]
        return torch.from_numpy(np.stack(windows) * np.float32(RENDERED_LEVEL)).to(self.device)


def train(
    config_path: Path,
    data: Path,
    run: Path,
    resume: bool,
    progress: Callable[[int, dict[str, float]], None],
    start: Path | None = None,
) -> None:
    """Train the codec that `config_path` describes on the data set `data`; all is kept in `run`.

    `start` is the folder of a bundle with a codec of that shape to go on from.
    """
    config = read_config(config_path, CodecTrainingConfig)
    with workers() as (rank, count):
        if start is None and config.freeze_tokens:
            raise TrainingError(
                f"{config_path} trains a decoder alone: name the bundle of its codec (--start)."
            )
        bundle = None if start is None else Bundle.load(start)
        trainer = CodecTrainer(config, data, run, bundle, rank, count)
        if resume:
            trainer.resume()
        trainer.train(progress)
