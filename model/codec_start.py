"""Where codec training starts: a transform codec in closed form, which would take hours of training to find.

Encoder and decoder begin as a tree of lapped cosine transforms (MDCT: Princen, Johnson and Bradley 1987) with
perfect reconstruction of the lowest bands, the quantizer as principal directions clustered by k-means.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

_SIGNAL_GAIN = 0.25  # keeps the trunk where its snake activations are nearly linear
_TRUNK_ALPHA = 0.02
_LEVELLING = 0.35  # how far loud and quiet bands are brought together before quantisation, 0 to 1
_REST = (
    0.05  # of torch's own initialisation stays in every weight, for the channels the transform leaves free
)


def mdct_kernels(bands: int) -> Tensor:
    """Orthonormal lapped transform with a sine window, float32 [bands, 2 * bands]."""
    n = torch.arange(2 * bands)
    window = torch.sin(math.pi * (n + 0.5) / (2 * bands))
    k = torch.arange(bands)[:, None]
    return window * math.sqrt(2 / bands) * torch.cos(math.pi / bands * (n + 0.5 + bands / 2) * (k + 0.5))


def band_split(parents: int, children: int, bands: int) -> Tensor:
    """Weights [children, parents, 2 * bands] that split each parent into `bands`, ordered by frequency.

    Decimation turns the spectrum of every second band around, so there the kernels are taken in reverse.
    """
    kernels = mdct_kernels(bands)
    weight = torch.zeros(children, parents, 2 * bands)
    for child in range(min(children, parents * bands)):
        parent, place = divmod(child, bands)
        weight[child, parent] = kernels[place if parent % 2 == 0 else bands - 1 - place]
    return weight


@torch.no_grad()
def start_as_filter_bank(dac: Any) -> None:
    """Set encoder and decoder of a fresh `dac.DAC`, whose rates are at least 2, in place."""
    for module in [*dac.encoder.modules(), *dac.decoder.modules()]:
        if type(module).__name__ == "ResidualUnit":
            module.block[-1].weight_g.zero_()
    blocks = list(dac.encoder.block)
    _set(blocks[0], _identity(blocks[0]) * _SIGNAL_GAIN)
    used = 1
    for block, rate in zip(blocks[1:-2], dac.encoder_rates, strict=True):
        used = _split(block.block[-2], block.block[-1], used, rate)
    _straighten(blocks[-2])
    _set(blocks[-1], _identity(blocks[-1]))
    layers = list(dac.decoder.model)
    _set(layers[0], _identity(layers[0]))
    for block, rate in zip(layers[1:-3], dac.decoder_rates, strict=True):
        snake, join = block.block[0], block.block[1]
        _straighten(snake)
        _set(join, band_split(join.out_channels, join.in_channels, rate))
    _straighten(layers[-3])
    _set(layers[-2], _identity(layers[-2]) / _SIGNAL_GAIN)


@torch.no_grad()
def balance_channels(dac: Any, latents: Tensor) -> Tensor:
    """Scale the latents [windows, channels, frames] of real speech, lest loud bands take all the bits.

    Each channel is divided by a power of its level and multiplied again in the decoder, which lets the
    quantisation noise follow the speech. Returns the scaled latents, whose level is one.
    """
    gains = latents.square().mean((0, 2)).sqrt().clamp(min=1e-4) ** -_LEVELLING
    gains /= (latents * gains[:, None]).square().mean().sqrt()
    last, first = dac.encoder.block[-1], dac.decoder.model[0]
    _set(last, _weight(last) * gains[:, None, None], rest=0)
    _set(first, _weight(first) / gains[:, None], rest=0)
    return latents * gains[:, None]


def _split(snake: nn.Module, convolution: Any, used: int, rate: int) -> int:
    _straighten(snake)
    weight = torch.zeros_like(convolution.weight_v)
    weight[:, :used] = band_split(used, convolution.out_channels, rate)
    _set(convolution, weight)
    return min(used * rate, convolution.out_channels)


def _straighten(snake: Any) -> None:
    snake.alpha.fill_(_TRUNK_ALPHA)


def _identity(convolution: nn.Conv1d) -> Tensor:
    weight = torch.zeros(convolution.out_channels, convolution.in_channels, *convolution.kernel_size)
    channels = torch.arange(min(weight.shape[:2]))
    weight[channels, channels, convolution.kernel_size[0] // 2] = 1
    return weight


def _weight(convolution: Any) -> Tensor:
    direction: Tensor = convolution.weight_v / convolution.weight_v.norm(dim=(1, 2), keepdim=True)
    return direction * convolution.weight_g


def _set(convolution: Any, weight: Tensor, rest: float = _REST) -> None:
    """Set the weight of a weight-normalised convolution, mixing in a little of what it held."""
    mixed = weight.to(convolution.weight_v.device) + rest * _weight(convolution)
    convolution.weight_v.copy_(mixed + 1e-7)  # a direction is needed even where the weight is zero
    convolution.weight_g.copy_(mixed.norm(dim=(1, 2), keepdim=True))
    convolution.bias.zero_()


@torch.no_grad()
def start_codebooks(dac: Any, latents: Tensor) -> None:
    """Set the quantizers, one after the other, from latents [windows, channels, frames] of real speech.

    Each takes the principal directions of what the ones before it left, clustered by k-means. DAC looks codes
    up by angle; one constant coordinate makes the nearest angle the nearest point.
    """
    residual = latents.transpose(1, 2).flatten(0, 1).cpu()
    for quantizer in dac.quantizer.quantizers:
        dimensions = quantizer.codebook.embedding_dim - 1
        directions = torch.linalg.eigh(residual.T @ residual).eigenvectors[:, -dimensions:].T
        points = residual @ directions.T
        centres = cluster(points, quantizer.codebook_size)
        constant = 20 * points.square().sum(1).mean().sqrt()
        _set(quantizer.in_proj, torch.cat([directions, torch.zeros_like(directions[:1])])[:, :, None], rest=0)
        quantizer.in_proj.bias[-1] = constant
        back = torch.cat([directions.T, torch.zeros(len(directions.T), 1)], 1)
        _set(quantizer.out_proj, back[:, :, None], rest=0)
        entries = torch.cat([centres, constant.expand(len(centres), 1)], 1)
        quantizer.codebook.weight.copy_(entries)
        device = quantizer.codebook.weight.device
        residual = residual - quantizer(residual.T[None].to(device))[0][0].T.cpu()


def cluster(points: Tensor, count: int, rounds: int = 12) -> Tensor:
    """Centres [count, dimensions] of `points` [number, dimensions] by k-means (Lloyd 1982)."""
    centres = points[torch.randperm(len(points))[:count]].clone()
    for _ in range(rounds):
        halved = centres.square().sum(1) / 2
        nearest = torch.cat([(part @ centres.T - halved).argmax(1) for part in points.split(8192)])
        sizes = torch.bincount(nearest, minlength=len(centres))
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        strays = points[torch.randint(len(points), (len(centres),))]
        centres = torch.where(sizes[:, None] > 0, sums / sizes[:, None].clamp(min=1), strays)
    return centres
