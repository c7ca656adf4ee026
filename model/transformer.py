"""A bidirectional transformer with rotary positions (Su et al. 2021, RoFormer)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.packed_linear import GeluLinear


class Transformer(nn.Module):
    """Pre-norm blocks over [batch, frames, width].

    What flows between the blocks stays float32; each starts as the identity, since its branches end in zeros.
    """

    def __init__(self, width: int, layers: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward) for _ in range(layers))
        self._head_width = width // heads

    def forward(self, x: Tensor, first_frame: int = 0) -> Tensor:
        """The frames from `first_frame` on, which attend to all."""
        if not self.blocks:
            return x[:, first_frame:]
        rotation = rotary_angles(x.shape[1], self._head_width, x.device)[:, None]
        cosine, sine = rotation.cos(), rotation.sin()
        for block in self.blocks[:-1]:
            x = block(x, cosine, sine)
        last: Tensor = self.blocks[-1](x, cosine, sine, first_frame)
        return last

    def leave_out_idle(self) -> None:
        """Do without the blocks that add nothing, as none does before it is trained."""
        busy = [block for block in self.blocks if isinstance(block, Block) and not block.is_idle()]
        self.blocks = nn.ModuleList(busy)


class Block(nn.Module):
    """Self-attention and a feed-forward network, each on a residual path."""

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self._heads = heads
        self.attention_norm, self.feed_forward_norm = nn.RMSNorm(width), nn.RMSNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.expand = GeluLinear(width, feed_forward)
        self.contract = nn.Linear(feed_forward, width)
        for end in self._branch_ends():
            nn.init.zeros_(end)

    def _branch_ends(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.output.weight, self.contract.weight, self.contract.bias

    def is_idle(self) -> bool:
        """Whether it passes on what it is given, whatever that is."""
        return not any(end.any() for end in self._branch_ends())

    def linears(self) -> list[nn.Linear]:
        """The layers whose weights may be of less than float32."""
        return [self.query_key_value, self.output, self.expand, self.contract]

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, first_frame: int = 0) -> Tensor:
        dtype = self.output.weight.dtype
        normal = self.attention_norm(x).to(dtype)
        attended = self._attend(normal, cosine.to(dtype), sine.to(dtype), first_frame)
        x = x[:, first_frame:] + self.output(attended).float()
        return x + self.contract(self.expand(self.feed_forward_norm(x).to(dtype))).float()

    def _attend(self, x: Tensor, cosine: Tensor, sine: Tensor, first_frame: int) -> Tensor:
        stacked = self.query_key_value(x).unflatten(-1, (3 * self._heads, -1))
        turned = rotate(stacked[:, :, : 2 * self._heads], cosine, sine).transpose(1, 2)
        query, key = turned.chunk(2, dim=1)
        value = stacked[:, :, 2 * self._heads :].transpose(1, 2)
        return _mix(query[:, :, first_frame:], key, value).transpose(1, 2).flatten(2)


def _mix(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The values of the frames that are attended to, [batch, heads, frames, head_width]."""
    if torch.is_grad_enabled() and query.device.type == "cpu":
        # Trained by plain products, it takes a quarter of the time that the gradients of the fused kernel do.
        return ((query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)).softmax(-1) @ value
    return F.scaled_dot_product_attention(query, key, value)


def rotary_angles(frames: int, head_width: int, device: torch.device) -> Tensor:
    """Angle of each position and pair of channels, float32 [frames, head_width / 2]."""
    frequencies = 1e4 ** -(torch.arange(0, head_width, 2, device=device) / head_width)
    return torch.arange(frames, device=device)[:, None] * frequencies


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn each pair of channels of [..., head_width] by its angle; `cosine` and `sine` broadcast to them."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
