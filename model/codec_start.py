"""Where codec training starts: a transform codec in closed form, which would take hours of training to find.

Encoder and decoder begin as a tree of lapped cosine transforms with perfect reconstruction of the lowest
bands, the quantizer as principal directions clustered by k-means. The rest becomes noise: `noise_filling`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.codebooks import Codebook, fit, refit, search, total
from model.lapped_transform import band_split
from model.noise_filling import NoiseFilling

_LEVEL_SCALE = 1 / 32  # of noise in an entry: small beside its other coordinates, lest it sway the choice
SIGNAL_GAIN = 0.25  # keeps the trunk where its snake activations are nearly linear
_TRUNK_ALPHA = 0.02
_SEARCH_WIDTH = 4  # wider ones take longer, and what they find hardly makes other codebooks
_LEVELLING = 0.25  # how far loud and quiet bands are brought together before quantisation, 0 to 1
_REST = (
    0.05  # of torch's own initialisation stays in every weight, for the channels the transform leaves free
)


@torch.no_grad()
def start_as_filter_bank(dac: Any, regions: int = 0) -> None:
    """Set encoder and decoder of a fresh `dac.DAC`, whose rates are at least 2, in place.

    The last channels of the latents stay silent and sound as noise, each in one of `regions`.
    """
    for module in [*dac.encoder.modules(), *dac.decoder.modules()]:
        if type(module).__name__ == "ResidualUnit":
            module.block[-1].weight_g.zero_()
    blocks = list(dac.encoder.block)
    _set(blocks[0], _identity(blocks[0]) * SIGNAL_GAIN)
    used = 1
    for block, rate in zip(blocks[1:-2], dac.encoder_rates, strict=True):
        used = _split(block.block[-2], block.block[-1], used, rate)
    _straighten(blocks[-2])
    _set(blocks[-1], _identity(blocks[-1]))
    blocks[-1].weight_g[dac.latent_dim - regions :] = 0
    layers = list(dac.decoder.model)
    _set(layers[0], _identity(layers[0]))
    for block, rate in zip(layers[1:-3], dac.decoder_rates, strict=True):
        snake, join = block.block[0], block.block[1]
        _straighten(snake)
        _set(join, band_split(join.out_channels, join.in_channels, rate))
    if regions:
        _sound_as_noise(dac, NoiseFilling(dac.latent_dim - regions, regions))
    _straighten(layers[-3])
    _set(layers[-2], _identity(layers[-2]) / SIGNAL_GAIN)


@torch.no_grad()
def balance_channels(dac: Any, latents: Tensor) -> tuple[Tensor, Tensor]:
    """Scale the latents [windows, channels, frames] of real speech, lest loud bands take all the bits.

    Each channel is divided by a power of its level and multiplied again in the decoder, which lets the
    quantisation noise follow the speech. Silent channels stay as they are.

    Returns:
        The scaled latents, whose level is one, and by what a coefficient of the transform was scaled to
        become one of them, [channels].
    """
    levels = latents.square().mean((0, 2)).sqrt()
    gains = levels.clamp(min=1e-4) ** -_LEVELLING
    gains /= (latents * gains[:, None]).square().mean().sqrt()
    gains[levels == 0] = 1
    last, first = dac.encoder.block[-1], dac.decoder.model[0]
    there = gains.to(last.weight_v.device)  # the latents of much speech may lie elsewhere than the codec
    _set(last, _weight(last) * there[:, None, None], rest=0)
    _set(first, _weight(first) / there[:, None], rest=0)
    return latents * gains[:, None], gains * SIGNAL_GAIN


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
def start_codebooks(dac: Any, latents: Tensor, regions: int = 0, rounds: int = 0) -> tuple[Tensor, Tensor]:
    """Set the quantizers from latents [windows, channels, frames] of real speech.

    The codebooks are fitted one after the other, then in so many `rounds` to each other. DAC looks codes up
    by angle; one constant coordinate makes the nearest angle the nearest point. The last coordinates are kept
    for the noise in each of the `regions`.

    Returns:
        The tokens of this speech, int64 [codebooks, windows * frames], and what they leave of the latents,
        [windows * frames, channels].
    """
    points = latents.transpose(1, 2).flatten(0, 1).cpu()
    dimensions = dac.codebook_dim - 1 - regions
    codebooks = fit(points, dac.n_codebooks, dac.codebook_size, dimensions)
    tokens = search(points, codebooks, _SEARCH_WIDTH)
    for _ in range(rounds):
        codebooks = refit(points, codebooks, tokens)
        tokens = search(points, codebooks, _SEARCH_WIDTH)
    for quantizer, codebook in zip(dac.quantizer.quantizers, codebooks, strict=True):
        _set_quantizer(quantizer, codebook)
    return tokens, points - total(codebooks, tokens)


def _set_quantizer(quantizer: Any, codebook: Codebook) -> None:
    entries, directions = codebook.entries, codebook.directions
    dimensions, more = len(directions), quantizer.codebook_dim - len(directions)
    constant = 20 * entries.square().sum(1).mean().sqrt()
    _set(quantizer.in_proj, F.pad(directions, (0, 0, 0, more))[:, :, None], rest=0)
    quantizer.in_proj.bias[dimensions] = constant
    _set(quantizer.out_proj, F.pad(directions.T, (0, more))[:, :, None], rest=0)
    quantizer.codebook.weight.copy_(F.pad(entries, (0, more)))
    quantizer.codebook.weight[:, dimensions] = constant


@torch.no_grad()
def start_noise(dac: Any, powers: Tensor) -> None:
    """Have each entry turn up the noise by `powers`, float32 [codebooks, codebook_size, regions]."""
    regions = powers.shape[-1]
    for quantizer, levels in zip(dac.quantizer.quantizers, powers.sqrt(), strict=True):
        out = _weight(quantizer.out_proj)
        out[-regions:, -regions:, 0] = torch.eye(regions) / _LEVEL_SCALE
        _set(quantizer.out_proj, out, rest=0)
        signs = torch.randint(2, levels.shape) * 2 - 1  # bursts of one sign would repeat as a tone
        quantizer.codebook.weight[:, -regions:] = signs * levels * SIGNAL_GAIN * _LEVEL_SCALE


def _sound_as_noise(dac: Any, filling: NoiseFilling) -> None:
    join = dac.decoder.model[1].block[1]
    weight, bursts = _weight(join), filling.bursts(dac.decoder_rates)
    weight[filling.carried :] = F.pad(bursts, (0, 0, 0, join.out_channels - bursts.shape[1]))
    _set(join, weight, rest=0)
