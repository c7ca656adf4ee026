"""A discriminator that learns to tell what a model makes from real speech, while that learns from it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from model.discriminator import Discriminator, adversarial_loss, discriminator_loss, feature_loss
from model.training import share_gradients


class Critic:
    """Learns a step whenever it judges, in the precision `dtype`."""

    def __init__(self, discriminator: Discriminator, dtype: torch.dtype) -> None:
        self._discriminator, self._dtype = discriminator, dtype
        self._optimizer = torch.optim.AdamW(discriminator.parameters(), betas=(0.9, 0.99))

    def judge(self, real: Tensor, fake: Tensor, learning_rate: float, turn: int) -> dict[str, Tensor]:
        """Scalars: its own loss as `critic`; and `adversarial` and `feature`, which are to train the model.

        Args:
            real, fake: float32 [batch, samples].
            learning_rate: of this step, the critic's own.
            turn: as for `Discriminator.forward`.
        """
        with torch.autocast(real.device.type, self._dtype, enabled=self._dtype != torch.float32):
            real_maps = self._discriminator(real, turn)
            loss = discriminator_loss(real_maps, self._discriminator(fake.detach(), turn))
            self._learn(loss, learning_rate)
            self._discriminator.requires_grad_(False)
            fake_maps = self._discriminator(fake, turn)
            self._discriminator.requires_grad_(True)
        return {
            "critic": loss.detach(),
            "adversarial": adversarial_loss(fake_maps),
            "feature": feature_loss(real_maps, fake_maps),
        }

    def _learn(self, loss: Tensor, learning_rate: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        share_gradients(self._discriminator.parameters())
        self._optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """For `load_state_dict`, to go on as if never stopped."""
        return {"weights": self._discriminator.state_dict(), "optimizer": self._optimizer.state_dict()}

    def learn_on_from(self, state: Mapping[str, Any]) -> None:
        """Know what another knew whose `state_dict` this is, and begin to learn from there.

        Raises RuntimeError if that is of another shape.
        """
        self._discriminator.load_state_dict(state["weights"])

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises RuntimeError or ValueError if `state` is of a critic of another shape."""
        self._discriminator.load_state_dict(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
