"""Which parts of a codec learn, and how fast; the others stay what they began as."""

from collections.abc import Sequence
from typing import Any

from torch import nn

Groups = list[dict[str, Any]]


def freeze_encoder(dac: Any, units: Sequence[int]) -> None:
    """Have only its last blocks learn, of each so many of its residual `units`, and what follows them."""
    layers, first = dac.encoder.block, -2 - len(units)
    layers[:first].requires_grad_(False)
    for block, count in zip(layers[first:-2], units, strict=True):
        block.block[count:3].requires_grad_(False)


def freeze_decoder(dac: Any, units: Sequence[int]) -> None:
    """Have only its first blocks learn, of each so many of its residual `units`, and what is before them."""
    layers = dac.decoder.model
    layers[len(units) + 1 :].requires_grad_(False)
    for block, count in zip(layers[1:], units, strict=False):
        block.block[2 + count :].requires_grad_(False)


def parameter_groups(dac: nn.Module, structure_rate: float) -> Groups:
    """For an optimiser: residual units, at the `rate` of 1, and what starts in closed form, at another."""
    units = [
        parameter
        for module in dac.modules()
        if type(module).__name__ == "ResidualUnit"
        for parameter in module.parameters()
    ]
    known = {id(parameter) for parameter in units}
    structure = [parameter for parameter in dac.parameters() if id(parameter) not in known]
    return [{"params": units, "rate": 1.0}, {"params": structure, "rate": structure_rate}]
