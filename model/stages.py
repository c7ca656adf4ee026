"""A convolutional network as a chain of stages, so that only what is new or wanted is computed.

Signals are images as `model.channels_last` makes them, [batch, channels, 1, time].
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Past = list[Tensor]  # the newest inputs of each stage


@dataclass(frozen=True)
class Stage:
    """Part of a network; it changes the sample rate by a whole factor, `down` or `up`, or not at all.

    An output sample depends on the input samples of its own time and on `reach` more on either side.
    """

    module: nn.Module
    reach: int
    down: int
    up: int


def to_stages(modules: Iterable[nn.Module]) -> list[Stage]:
    """Measure the consecutive parts of a `dac` encoder or decoder by the convolutions in them."""
    return [_to_stage(module) for module in modules]


def _to_stage(module: nn.Module) -> Stage:
    convolutions = [part for part in module.modules() if isinstance(part, nn.Conv1d)]
    upsampling = [part.stride[0] for part in module.modules() if isinstance(part, nn.ConvTranspose1d)]
    # What keeps lengths as they are, padding, is as long as the reach.
    reach = sum(int(part.padding[0]) for part in convolutions)
    if upsampling:  # comes first in its part, and reaches one input sample to either side
        return Stage(module, 1 - -reach // upsampling[0], down=1, up=upsampling[0])
    return Stage(module, reach, down=max((part.stride[0] for part in convolutions), default=1), up=1)


def run_span(stages: Sequence[Stage], x: Tensor, start: int, stop: int) -> Tensor:
    """Samples `start` to `stop` of what `stages`, none of them downsampling, make of `x`."""
    wanted = [(start, stop)]
    for stage in reversed(stages):
        first, last = wanted[-1]
        wanted.append((max(first // stage.up - stage.reach, 0), -(-last // stage.up) + stage.reach))
    position = 0  # of the first sample of x
    for stage, (first, last) in zip(stages, reversed(wanted), strict=False):
        x = stage.module(x[..., first - position : last - position])
        position = first * stage.up
    return x[..., start - position : stop - position]


class StageStream:
    """Runs `stages`, none of them upsampling, over a signal that comes in pieces, each sample once.

    The newest outputs of each piece are provisional: they heard silence where the next piece will be.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._provisional = [0]  # samples going into each stage, and coming out of the last
        for stage in stages:
            self._provisional.append(-(-(self._provisional[-1] + stage.reach) // stage.down))
        self._memory = [
            stage.down * (provisional - -stage.reach // stage.down)  # begins where an output does
            for stage, provisional in zip(stages, self._provisional[1:], strict=True)
        ]

    @property
    def provisional(self) -> int:
        """How many of the newest outputs are."""
        return self._provisional[-1]

    @property
    def shortest_start(self) -> int:
        """Samples that the first piece must have at least."""
        rate, samples = 1, 0
        for stage, memory in zip(self._stages, self._memory, strict=True):
            samples = max(samples, memory * rate)
            rate *= stage.down
        return samples

    def start(self, piece: Tensor) -> tuple[Tensor, Past]:
        """The outputs of the first piece, and what `go_on` needs."""
        past, x = [], piece
        for stage, memory in zip(self._stages, self._memory, strict=True):
            past.append(x[..., -memory:])
            x = stage.module(x)
        return x, past

    def go_on(self, piece: Tensor, past: Past) -> tuple[Tensor, Past]:
        """The outputs that were provisional, then those of `piece`, which is a whole number of them long."""
        heard, x, new = [], piece, piece.shape[-1]
        for index, stage in enumerate(self._stages):
            settled = self._memory[index] - self._provisional[index]
            x = _join(past[index][..., :settled], x)
            heard.append(x[..., -self._memory[index] :])
            new //= stage.down
            x = stage.module(x)[..., -new - self._provisional[index + 1] :]
        return x, heard


def _join(earlier: Tensor, later: Tensor) -> Tensor:
    """In time, keeping the layout, which `torch.cat` alone would not for an image of one channel."""
    return torch.cat([x.permute(0, 2, 3, 1) for x in (earlier, later)], dim=2).permute(0, 3, 1, 2)
