"""The fine structure of a spectral mask: which bins stand out from those around them."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.packed_convolution import PackedConvolution, PackedResidual, gelu

BINS = 384  # 8.3 kHz: above, the harmonics of speech are not told apart
_BANDS = 24
_CHANNELS = 16
_DISTANCES = (
    (1, 1),
    (2, 4),
    (4, 1),
    (1, 4),
    (2, 1),
    (4, 4),
)  # in frames and bins, at which the blocks compare
_GROUP_BINS = 4  # that the overview takes together
_OVERVIEW_CHANNELS = 48
_OVERVIEW_DISTANCES = ((1, 1), (2, 2), (4, 4), (4, 1), (2, 2), (1, 4))  # as far in time as the others
MARGIN_FRAMES = 3 + sum(frames for frames, _ in _DISTANCES)  # on each side, that the judgement depends on


class FineGate(nn.Module):
    """Convolutions over time and frequency, told band by band what to look for by what is known of a frame.

    One vector a frame cannot hold where all the harmonics lie; here each bin is judged by its neighbourhood.
    It begins by adding nothing.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look: nn.Module = nn.Conv2d(1, _CHANNELS, (3, 7), padding=(1, 3))
        self.scale, self.shift = nn.Linear(width, _CHANNELS * _BANDS), nn.Linear(width, _CHANNELS * _BANDS)
        self.compare = nn.Conv2d(_CHANNELS, _CHANNELS, (3, 5), padding=(1, 2))
        self.blocks = nn.Sequential(*(_Block(_CHANNELS, 5, *distance) for distance in _DISTANCES))
        self.overview = _Overview(width)
        self.judge = nn.Conv2d(_CHANNELS, 1, 3, padding=1)
        for layer in (self.scale, self.shift, self.judge):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, features: Tensor, hidden: Tensor) -> Tensor:
        """What to add to the logits of the gates of the lowest 384 bins, [batch, frames, 384].

        Args:
            features: normalised magnitudes, float32 [batch, frames, bins].
            hidden: what is known of each frame, [batch, frames, width].
        """
        dtype = self.compare.weight.dtype
        hidden = hidden.to(dtype)
        seen = self.look(features[:, None, :, :BINS].to(dtype)).to(memory_format=torch.channels_last)
        seen = _told(seen, self.scale(hidden), self.shift(hidden))
        compared = self.compare(gelu(seen))
        compared = self.blocks(compared) + self.overview(compared, hidden)
        return self.judge(gelu(compared))[:, 0]

    def pack(self) -> None:
        """Have `look` and the blocks compute from packed weights; it is on the CPU and learns no more."""
        assert isinstance(self.look, nn.Conv2d)
        self.look = PackedConvolution(self.look)
        for blocks in (self.blocks, self.overview.blocks):
            for place, block in enumerate(blocks):
                assert isinstance(block, _Block)
                blocks[place] = PackedResidual(block.compare)


class _Overview(nn.Module):
    """Sees the same in groups of bins, with more channels; it adds what it finds: at first nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        size, channels = (1, _GROUP_BINS), _OVERVIEW_CHANNELS
        self.gather = nn.Conv2d(_CHANNELS, channels, size, stride=size)
        self.scale, self.shift = nn.Linear(width, channels * _BANDS), nn.Linear(width, channels * _BANDS)
        self.blocks = nn.Sequential(*(_Block(channels, 3, *distance) for distance in _OVERVIEW_DISTANCES))
        self.spread = nn.Conv2d(channels, _CHANNELS * _GROUP_BINS, 1)
        for layer in (self.scale, self.shift, self.spread):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, seen: Tensor, hidden: Tensor) -> Tensor:
        """[batch, channels, frames, bins] and [batch, frames, width] to the shape of the former."""
        groups = _told(self._gathered(gelu(seen)), self.scale(hidden), self.shift(hidden))
        return self._spread(gelu(self.blocks(groups)))

    def _spread(self, found: Tensor) -> Tensor:
        """What `spread` gives, of each bin of a group in turn, as a product that leaves channels last."""
        weight, bias = (_bins_first(self.spread.get_parameter(name)) for name in ("weight", "bias"))
        spread = F.linear(found.permute(0, 2, 3, 1), weight.flatten(1), bias)
        return spread.unflatten(-1, (_GROUP_BINS, -1)).flatten(2, 3).permute(0, 3, 1, 2)

    def _gathered(self, seen: Tensor) -> Tensor:
        """What `gather` gives, as a product: of such strides, oneDNN's bf16 kernels for AMX make noise."""
        grouped = seen.permute(0, 2, 3, 1).unflatten(2, (-1, _GROUP_BINS)).flatten(-2)
        weight = self.gather.weight[:, :, 0].transpose(1, 2).flatten(1)
        return F.linear(grouped, weight, self.gather.bias).permute(0, 3, 1, 2)


def _bins_first(values: Tensor) -> Tensor:
    """Rows of each channel's bins of a group as rows of each bin's channels."""
    return values.unflatten(0, (_CHANNELS, _GROUP_BINS)).transpose(0, 1).flatten(0, 1)


class _Block(nn.Module):
    """Looks further and adds what it finds: at first nothing."""

    def __init__(self, channels: int, width_bins: int, frames: int, bins: int) -> None:
        """`frames` and `bins`: between those that are compared."""
        super().__init__()
        self.compare = nn.Conv2d(
            channels,
            channels,
            (3, width_bins),
            padding=(frames, width_bins // 2 * bins),
            dilation=(frames, bins),
        )
        for parameter in self.compare.parameters():
            nn.init.zeros_(parameter)

    def forward(self, seen: Tensor) -> Tensor:
        return seen + self.compare(gelu(seen))


def _told(seen: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Bins [batch, channels, frames, bins], scaled and shifted by [batch, frames, bands * channels]."""
    bins = seen.shape[3] // _BANDS
    bands = seen.permute(0, 2, 3, 1).unflatten(2, (_BANDS, -1)).flatten(3)
    scale, shift = (_for_each_bin(values, bins) for values in (1 + scale, shift))
    return torch.addcmul(shift, bands, scale).unflatten(3, (bins, -1)).flatten(2, 3).permute(0, 3, 1, 2)


def _for_each_bin(values: Tensor, bins: int) -> Tensor:
    """[batch, frames, bands * channels] to [batch, frames, bands, bins * channels].

    Broadcast instead, so few values in a row take twice as long to multiply.
    """
    return torch.cat([values.unflatten(-1, (_BANDS, -1))] * bins, -1)
