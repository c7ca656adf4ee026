"""A convolutional network as a chain of stages, so that only what is new or wanted is computed.

Signals are images as `model.channels_last` makes them, [batch, channels, 1, time].
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn


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
    # What keeps lengths as they are, padding, is as long as the reach.
    reach = sum(int(part.padding[0]) for part in convolutions)
    for part in module.modules():
        if isinstance(part, nn.ConvTranspose1d):  # comes first in its part
            up = part.stride[0]
            return Stage(module, -(-int(part.padding[0]) // up) - -reach // up, down=1, up=up)
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


def reach_samples(stages: Sequence[Stage]) -> int:
    """How many input samples on either side an output of `stages`, none of them upsampling, hears."""
    reach, down = 0, 1
    for stage in stages:
        reach += stage.reach * down
        down *= stage.down
    return reach
