"""What listeners would think of speech: in training, it tells how pleasant what comes out sounds.

Errors against the clean speech are least for a mean of what might have been said, which sounds muffled; an
opinion is best for something that could have been said. Bundles know nothing of it.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from model.listener import Listener
from model.second_listener import SecondListener

_SILENT_POWER = 1e-5  # of a clip, 26 dB below speech


class Listeners:
    """Those whose opinion has a weight, asked in turn: to listen costs a step much of its time."""

    def __init__(
        self, weights: Mapping[str, float], every_steps: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        """`weights` names some of `opinion` and `second_opinion`; one listener is asked in `every_steps`."""
        makers: dict[str, Callable[[], nn.Module]] = {
            "opinion": Listener,
            "second_opinion": lambda: SecondListener(dtype),
        }
        self._listeners = [(name, make().to(device)) for name, make in makers.items() if weights[name]]
        self._every_steps = every_steps

    def losses(self, step: int, restored: Tensor, target: Tensor) -> dict[str, Tensor]:
        """By name, that of the listener whose turn it is, if it is anybody's; as `opinion_loss` has it."""
        turn, rest = divmod(step, self._every_steps)
        if rest or not self._listeners:
            return {}
        name, listener = self._listeners[turn % len(self._listeners)]
        return {name: opinion_loss(listener, restored, target)}


def opinion_loss(listener: nn.Module, restored: Tensor, target: Tensor) -> Tensor:
    """How much less a listener thinks of the restored speech than of the clean, a scalar.

    Of what is better than clean and of silence, nothing.

    Args:
        listener: gives one opinion of each clip, or of as many clips in a row as divide the batch.
        restored, target: float32 [batch, samples] at 44.1 kHz.
    """
    with torch.no_grad():
        wanted = listener(target)
        is_heard = (target.square().mean(1) > _SILENT_POWER).view(len(wanted), -1).any(1)
    lacking = (wanted - listener(restored)).clamp(min=0)
    return (lacking * is_heard).sum() / is_heard.sum().clamp(min=1)
