"""What both training runs share: checkpoints, averaged weights, learning-rate schedule, log and loss plot."""

import json
import math
import os
import statistics
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed
from pydantic import BaseModel, ValidationError
from torch import Tensor, nn

from model.errors import MaskSRError


class TrainingError(MaskSRError):
    """A training run cannot start or go on."""


Config = TypeVar("Config", bound=BaseModel)


def read_config(path: Path, kind: type[Config]) -> Config:
    """Read a training configuration file (TOML).

    Raises:
        TrainingError: the file is missing, malformed, or has an unknown key or a value out of range.
    """
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be read ({error.strerror}): name a configuration file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path} is not valid TOML ({error}): mend the file.") from error
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise TrainingError(f"{path}, '{key}': {problem['msg']}; mend the file.") from error


def device_and_dtype() -> tuple[torch.device, torch.dtype]:
    """CUDA where there is one, else the CPU; bf16 where the machine multiplies it natively."""
    if not torch.cuda.is_available():
        return cpu_and_dtype()
    torch.backends.cudnn.allow_tf32 = False  # convolutions would round float32 to 10 bits, unasked
    return torch.device("cuda"), torch.bfloat16 if _card_multiplies_bf16() else torch.float32


def _card_multiplies_bf16() -> bool:
    try:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    except RuntimeError:  # of a lost card, which whoever puts it to work is told
        return False


def cpu_and_dtype() -> tuple[torch.device, torch.dtype]:
    """The CPU, and bf16 if it multiplies that natively; others would take twice as long as in float32."""
    can = torch.cpu.get_capabilities()
    multiplies_bf16 = can.get("avx512_bf16") or can.get("bf16")  # as x86 and ARM call it
    native = torch.backends.mkldnn.is_available() and multiplies_bf16
    return torch.device("cpu"), torch.bfloat16 if native else torch.float32


@contextmanager
def workers() -> Iterator[tuple[int, int]]:
    """This process' rank and the number of processes, joined into a group when started by `torchrun`."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield 0, 1
        return
    torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        if torch.cuda.is_available():
            torch.cuda.set_device(torch.distributed.get_rank() % torch.cuda.device_count())
        yield torch.distributed.get_rank(), count
    finally:
        torch.distributed.destroy_process_group()


def share_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over all processes, in one exchange."""
    if not torch.distributed.is_initialized():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def cosine_schedule(step: int, steps: int, warmup_steps: int, final_share: float = 0.05) -> float:
    """Learning-rate factor: linear warm-up, then half a cosine down to `final_share`."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, steps - warmup_steps))
    return final_share + (1 - final_share) * (1 + math.cos(math.pi * progress)) / 2


class AveragedWeights:
    """Exponential moving average of a network's state; `decay` rises over the first steps."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay, self._updates = decay, 0
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value.detach(), 1 - decay)
            else:
                self.state[name].copy_(value)

    def resume(self, state: Mapping[str, Tensor], updates: int) -> None:
        """Go on from a `state` that was averaged over `updates`."""
        self._updates = updates
        for name, value in state.items():
            self.state[name].copy_(value)


class Log:
    """Training figures, one JSON object a line, appended to `log.jsonl` in the run's folder.

    `seconds_a_step` is the audio that a step sees.
    """

    def __init__(self, folder: Path, seconds_a_step: float) -> None:
        self._path, self._seconds_a_step = folder / "log.jsonl", seconds_a_step
        self._values: dict[str, list[float]] = {}
        self._steps, self._since = 0, time.monotonic()

    def add(self, losses: Mapping[str, Tensor]) -> None:
        for name, value in losses.items():
            self._values.setdefault(name, []).append(float(value.detach()))
        self._steps += 1

    def write(self, step: int) -> dict[str, float]:
        """Append the means since the last call, the throughput, and the audio seen in all steps so far."""
        speed = self._steps * self._seconds_a_step / (time.monotonic() - self._since)
        row = {"step": step, "audio_hours": round(step * self._seconds_a_step / 3600, 4)}
        row["audio_s_per_s"] = round(speed, 2)
        row |= {name: round(statistics.fmean(values), 5) for name, values in self._values.items()}
        with self._path.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        self._values, self._steps, self._since = {}, 0, time.monotonic()
        return row


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` so that a kill at any moment leaves the previous checkpoint whole."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values; nothing in it can run code.

    Raises:
        TrainingError: there is no checkpoint at `path`.
    """
    if not path.exists():
        raise TrainingError(f"{path} does not exist; start the run without --resume")
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint


def read_log(folder: Path) -> Iterator[dict[str, float]]:
    """The rows of the run's log, oldest first."""
    for line in (folder / "log.jsonl").read_text().splitlines():
        yield json.loads(line)


def plot_log(folder: Path) -> Path:
    """Draw every figure of the run's log against audio seen into `losses.png`, and return its path."""
    import matplotlib.figure

    rows = list(read_log(folder))
    names = list(dict.fromkeys(key for row in rows for key in row if key not in ("step", "audio_hours")))
    figure = matplotlib.figure.Figure(figsize=(9, 2 * len(names)), layout="constrained")
    for axis, name in zip(figure.subplots(len(names), sharex=True, squeeze=False)[:, 0], names, strict=True):
        points = [(row["audio_hours"], row[name]) for row in rows if name in row]
        axis.plot(*zip(*points, strict=True))
        axis.set_ylabel(name)
    axis.set_xlabel("hours of audio seen")
    figure.savefig(folder / "losses.png")
    return folder / "losses.png"
