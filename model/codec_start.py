"""Where codec training starts: a transform codec in closed form, which would take hours of training to find.

Encoder and decoder begin as trees of lapped cosine transforms with perfect reconstruction of the lowest
bands, the quantizer as principal directions clustered by k-means. The rest becomes noise: `noise_filling`.
The decoder may go up in more steps than the encoder goes down, to learn between them.
"""

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.codebooks import Codebook, audibility, fit, refit, search, total
from model.filter_bank import weight_of
from model.lapped_transform import band_split
from model.noise_filling import NoiseFilling

_LEVEL_SCALE = 1 / 32  # of noise in an entry: small beside its other coordinates, lest it sway the choice
_TILT = 0.65  # exponent: speech is the weaker the higher, and what learns wants all bands about as strong
_LOWEST_GAIN = 9.0  # brings the lowest band of speech at the level of a stream to about 2.5
_FIRST_ALPHA = 1e-3  # of a snake: bends what is as loud as speech by less than a hundredth
_SEARCH_WIDTH = 4  # wider ones take longer, and what they find hardly makes other codebooks
_LEVELLING = 0.25  # how far loud and quiet bands are brought together before quantisation, 0 to 1


@torch.no_grad()
def start_as_filter_bank(dac: Any, regions: int = 0) -> None:
    """Set encoder and decoder of a fresh `dac.DAC`, whose rates are at least 2, in place.

    Both are linear: no residual unit adds anything, and no snake bends anything. The last channels of the
    latents stay silent and sound as noise, each in one of `regions`.
    """
    for module in [*dac.encoder.modules(), *dac.decoder.modules()]:
        if type(module).__name__ == "ResidualUnit":
            module.block[-1].weight_g.zero_()
    blocks = list(dac.encoder.block)
    _set(blocks[0], _identity(blocks[0]))
    used = 1
    for block, rate in zip(blocks[1:-2], dac.encoder_rates, strict=True):
        _straighten(block.block[-2])
        used = _split(block.block[-1], used, rate)
    _straighten(blocks[-2])
    _set(blocks[-1], _identity(blocks[-1]))
    blocks[-1].weight_g[dac.latent_dim - regions :] = 0
    _start_decoder(dac, regions)


@torch.no_grad()
def wake(dac: nn.Module) -> None:
    """Have the snakes that are to learn, and bend nothing, bend a little: straight, they have no slope."""
    for name, parameter in dac.named_parameters():
        if parameter.requires_grad and name.endswith("alpha") and not parameter.any():
            parameter.fill_(_FIRST_ALPHA)


def interleaving_steps(rates: Sequence[int]) -> int:
    """How many of a decoder's first steps do no more, at the start, than put samples between samples."""
    return len(list(takewhile(lambda rate: rate == 2, rates)))


def _start_decoder(dac: Any, regions: int) -> None:
    """The last steps are a bank of filters; the first layer knows what each latent is in that bank."""
    layers = list(dac.decoder.model)
    steps = interleaving_steps(dac.decoder_rates)
    channels = layers[0].out_channels >> steps
    for block, rate in zip(layers[1 + steps : -3], dac.decoder_rates[steps:], strict=True):
        join = block.block[1]
        _set(join, band_split(join.out_channels, join.in_channels, rate))
    gains = _LOWEST_GAIN * torch.arange(1, channels + 1) ** _TILT
    first_join = layers[1 + steps].block[1]
    levelled = weight_of(first_join).cpu()
    levelled[:channels] /= gains[:, None, None]
    _set(first_join, levelled)
    for step, block in enumerate(layers[1 : 1 + steps]):
        _set(block.block[1], _interleave(block.block[1], channels << (steps - 1 - step)))
    for module in [*(block.block[0] for block in layers[1:-3]), layers[-3]]:
        _straighten(module)
    waves, start = lapped_waves(dac.encoder_rates, dac.latent_dim - regions)
    if regions:
        bursts = NoiseFilling(dac.latent_dim - regions, regions).bursts()
        around = (waves.shape[1] - bursts.shape[1]) // 2
        waves = torch.cat([waves, F.pad(bursts, (around, around))])
    _set(layers[0], _in_bank(waves, start, dac.decoder_rates[steps:], gains, 1 << steps, layers[0]))
    _set(layers[-2], _identity(layers[-2]))


def lapped_waves(rates: list[int], count: int) -> tuple[Tensor, int]:
    """What the first `count` channels of a tree of lapped transforms sound like.

    Returns:
        float32 [channels, samples], and where they begin, in samples from the start of their frame.
    """
    kernels, hop, start = torch.ones(1, 1, 1), 1, 0
    for rate in rates:
        children = min(count, len(kernels) * rate)
        split = band_split(len(kernels), children, rate)
        kernels = F.conv_transpose1d(split, kernels, stride=hop)
        start -= math.ceil(rate / 2) * hop
        hop *= rate
    return F.pad(kernels[:, 0], (0, 0, 0, count - len(kernels))), start


def _in_bank(
    waves: Tensor, start: int, rates: list[int], gains: Tensor, phases: int, layer: nn.Conv1d
) -> Tensor:
    """Weights of a decoder's first `layer`: `waves`, as of `lapped_waves`, in the bank of its last `rates`.

    The bank's channels come with `gains` and, one after the other, for each of a frame's `phases`.
    """
    bank, bank_start = lapped_waves(rates[::-1], len(gains))
    hop, reach = math.prod(rates), layer.kernel_size[0] // 2
    before = start - bank_start + reach * phases * hop
    after = (layer.kernel_size[0] * phases - 1) * hop + bank.shape[1] - before - waves.shape[1]
    found = F.conv1d(F.pad(waves, (before, after))[:, None], (bank * gains[:, None])[:, None], stride=hop)
    by_frame = found.unflatten(2, (layer.kernel_size[0], phases)).permute(3, 1, 0, 2)
    weight = torch.zeros(layer.out_channels, layer.in_channels, *layer.kernel_size)
    weight[: phases * len(gains), : len(waves)] = by_frame.flatten(0, 1).flip(2)
    return weight


def _interleave(join: nn.ConvTranspose1d, channels: int) -> Tensor:
    """Weights that put the second half of the channels' samples between those of the first half."""
    weight = torch.zeros(join.in_channels, join.out_channels, *join.kernel_size)
    outputs = torch.arange(channels)
    for place in (0, 1):
        weight[place * channels + outputs, outputs, 1 + place] = 1
    return weight


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
    _set(last, weight_of(last) * there[:, None, None])
    _set(first, weight_of(first) / there[:, None])
    return latents * gains[:, None], gains


def _split(convolution: Any, used: int, rate: int) -> int:
    weight = torch.zeros_like(convolution.weight_v)
    weight[:, :used] = band_split(used, convolution.out_channels, rate)
    _set(convolution, weight)
    return min(used * rate, convolution.out_channels)


def _straighten(snake: Any) -> None:
    snake.alpha.zero_()


def _identity(convolution: nn.Conv1d) -> Tensor:
    weight = torch.zeros(convolution.out_channels, convolution.in_channels, *convolution.kernel_size)
    channels = torch.arange(min(weight.shape[:2]))
    weight[channels, channels, convolution.kernel_size[0] // 2] = 1
    return weight


def _set(convolution: Any, weight: Tensor) -> None:
    """Set the weight of a weight-normalised convolution."""
    there = weight.to(convolution.weight_v.device)
    lengths = there.norm(dim=(1, 2), keepdim=True)
    # A direction is needed even where the weight is zero.
    convolution.weight_v.copy_(torch.where(lengths > 0, there, 1.0))
    convolution.weight_g.copy_(lengths)
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
    dimensions, weights = dac.codebook_dim - 1 - regions, audibility(points) * points.any(0)
    codebooks = fit(points, dac.n_codebooks, dac.codebook_size, dimensions)
    tokens = search(points, codebooks, _SEARCH_WIDTH, weights)
    for _ in range(rounds):
        codebooks = refit(points, codebooks, tokens, weights)
        tokens = search(points, codebooks, _SEARCH_WIDTH, weights)
    for quantizer, codebook in zip(dac.quantizer.quantizers, codebooks, strict=True):
        _set_quantizer(quantizer, codebook)
    return tokens, points - total(codebooks, tokens)


def _set_quantizer(quantizer: Any, codebook: Codebook) -> None:
    entries, directions = codebook.entries, codebook.directions
    dimensions, more = len(directions), quantizer.codebook_dim - len(directions)
    constant = 20 * entries.square().sum(1).mean().sqrt()
    _set(quantizer.in_proj, F.pad(directions, (0, 0, 0, more))[:, :, None])
    quantizer.in_proj.bias[dimensions] = constant
    _set(quantizer.out_proj, F.pad(directions.T, (0, more))[:, :, None])
    quantizer.codebook.weight.copy_(F.pad(entries, (0, more)))
    quantizer.codebook.weight[:, dimensions] = constant


@torch.no_grad()
def start_noise(dac: Any, powers: Tensor) -> None:
    """Have each entry turn up the noise by `powers`, float32 [codebooks, codebook_size, regions]."""
    regions = powers.shape[-1]
    for quantizer, levels in zip(dac.quantizer.quantizers, powers.sqrt(), strict=True):
        out = weight_of(quantizer.out_proj)
        out[-regions:, -regions:, 0] = torch.eye(regions) / _LEVEL_SCALE
        _set(quantizer.out_proj, out)
        signs = torch.randint(2, levels.shape) * 2 - 1  # bursts of one sign would repeat as a tone
        quantizer.codebook.weight[:, -regions:] = signs * levels * _LEVEL_SCALE
