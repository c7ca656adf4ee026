"""What the trainings of codec and language model have in common: settings, and the loop over steps."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor

from model.critic import Critic
from model.discriminator import Discriminator
from model.learning import keep_bundle
from model.plan import SAMPLE_RATE_HZ
from model.training import Log, cosine_schedule, device_and_dtype, plot_log


class TrainingConfig(BaseModel):
    """What every training configuration file (TOML) may set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    steps: int
    batch: int
    learning_rate: float
    warmup_steps: int
    average_decay: float = 0.999
    log_every_steps: int = 25
    checkpoint_every_steps: int = 250
    keep_every_steps: PositiveInt | None = None  # bundles that stay, to plot quality against audio seen
    word_weight: float = 0.0  # of how differently a speech recogniser hears what comes out and what should
    opinion_weight: float = 0.0  # of how much less a listener thinks of what comes out
    second_opinion_weight: float = 0.0  # of how much less another does
    opinion_every_steps: PositiveInt = 1  # the listeners take turns
    adversarial_weight: float = 0.0  # of how well a critic that learns tells what comes out from speech
    feature_weight: float = 0.0  # of how differently the critic sees what comes out and what should
    critic_windows_samples: tuple[int, ...] = (2048, 1024, 512)
    critic_periods: tuple[int, ...] = (2, 3, 5)
    critic_channels: int = 16
    critic_rate: float = 1.0  # its learning rate, over that of the model


Config = TypeVar("Config", bound=TrainingConfig)


class Trainer(ABC, Generic[Config]):
    """One training run, kept in the folder `run`: `checkpoint.pt`, log, plot, samples and a bundle."""

    optimizer: torch.optim.Optimizer  # whose groups tell their `rate`, relative to the configured one

    def __init__(self, config: Config, run: Path, rank: int, workers: int) -> None:
        self.config, self.run, self.step = config, run, 0
        self.rank, self.workers = rank, workers
        self.device, self.dtype = device_and_dtype()
        torch.manual_seed(config.seed)
        run.mkdir(parents=True, exist_ok=True)

    def train(self, progress: Callable[[int, dict[str, float]], None]) -> None:
        """Run to the configured number of steps; `progress` hears each row that is logged."""
        keep = self.config.keep_every_steps
        if self.step == 0 and self.rank == 0:
            self.save()
            if keep is not None:
                keep_bundle(self.run, 0.0)
        log = Log(self.run, self._seconds_a_step)
        while self.step < self.config.steps:
            log.add(self._train_step())
            self.step += 1
            if self.rank > 0:
                continue
            if self.step % self.config.log_every_steps == 0:
                progress(self.step, log.write(self.step))
            is_kept = keep is not None and self.step % keep == 0
            is_due = self.step % self.config.checkpoint_every_steps == 0 or self.step == self.config.steps
            if is_due or is_kept:
                self.save()
                self._render()
                plot_log(self.run)
            if is_kept:
                keep_bundle(self.run, self.step * self._seconds_a_step / 3600)

    @property
    def _seconds_a_step(self) -> float:
        return self._samples_a_step / SAMPLE_RATE_HZ

    @property
    def _learning_rate(self) -> float:
        """Of this step, of what has the rate 1."""
        warmup, steps = self.config.warmup_steps, self.config.steps
        return self.config.learning_rate * cosine_schedule(self.step, steps, warmup)

    def _new_critic(self) -> Critic:
        config = self.config
        discriminator = Discriminator(
            config.critic_windows_samples, config.critic_periods, config.critic_channels
        )
        return Critic(discriminator.to(self.device), self.dtype)

    def _set_learning_rates(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate * group["rate"]

    @property
    @abstractmethod
    def _samples_a_step(self) -> int: ...

    @abstractmethod
    def _train_step(self) -> dict[str, Tensor]:
        """Learn from one batch; return its losses."""

    @abstractmethod
    def save(self) -> None:
        """Leave checkpoint and bundle."""

    @abstractmethod
    def _render(self) -> None:
        """Leave samples of how it sounds by now."""
