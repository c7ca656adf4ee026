"""The fine structure of a spectral mask: which bins stand out from those around them."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
MARGIN_FRAMES = 3 + sum(frames for frames, _ in _DISTANCES)  # on each side, that the judgement depends on


class FineGate(nn.Module):
    """Convolutions over time and frequency, told band by band what to look for by what is known of a frame.

    One vector a frame cannot hold where all the harmonics lie; here each bin is judged by its neighbourhood.
    It begins by adding nothing.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, _CHANNELS, (3, 7), padding=(1, 3))
        self.scale, self.shift = nn.Linear(width, _CHANNELS * _BANDS), nn.Linear(width, _CHANNELS * _BANDS)
        self.compare = nn.Conv2d(_CHANNELS, _CHANNELS, (3, 5), padding=(1, 2))
        self.blocks = nn.Sequential(*(_Block(*distance) for distance in _DISTANCES))
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
        dtype = self.look.weight.dtype
        hidden = hidden.to(dtype)
        seen = self.look(features[:, None, :, :BINS].to(dtype)).to(memory_format=torch.channels_last)
        seen = seen * (1 + self._by_bin(self.scale(hidden))) + self._by_bin(self.shift(hidden))
        compared = self.blocks(self.compare(F.gelu(seen, approximate="tanh")))
        return self.judge(F.gelu(compared, approximate="tanh"))[:, 0]

    def _by_bin(self, values: Tensor) -> Tensor:
        """[batch, frames, bands * channels] to [batch, channels, frames, bins]."""
        bands = values.unflatten(-1, (_BANDS, _CHANNELS))
        return bands.repeat_interleave(BINS // _BANDS, dim=2).permute(0, 3, 1, 2)


class _Block(nn.Module):
    """Looks further and adds what it finds: at first nothing."""

    def __init__(self, frames: int, bins: int) -> None:
        """`frames` and `bins`: between those that are compared."""
        super().__init__()
        self.compare = nn.Conv2d(
            _CHANNELS, _CHANNELS, (3, 5), padding=(frames, 2 * bins), dilation=(frames, bins)
        )
        for parameter in self.compare.parameters():
            nn.init.zeros_(parameter)

    def forward(self, seen: Tensor) -> Tensor:
        return seen + self.compare(F.gelu(seen, approximate="tanh"))
