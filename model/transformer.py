"""A bidirectional transformer with rotary positions (Su et al. 2021, RoFormer)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.packed_linear import GeluLinear

_SHORTEST = 1e-6  # of what has a direction


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
        assert isinstance(self.blocks[0], Block)
        turn = rotary_turn(x.shape[1], self._head_width, x.device).to(self.blocks[0].output.weight.dtype)
        x = x.float()
        for block in self.blocks[:-1]:
            x = block(x, turn)
        last: Tensor = self.blocks[-1](x, turn, first_frame)
        return last

    def leave_out_idle(self) -> None:
        """Do without the blocks that add nothing, as none does before it is trained."""
        busy = [block for block in self.blocks if isinstance(block, Block) and not block.is_idle()]
        self.blocks = nn.ModuleList(busy)

    def merge_norms(self) -> None:
        """Have the layers after the norms scale the channels, which saves a step; nothing learns any more."""
        for block in self.blocks:
            assert isinstance(block, Block)
            block.merge_norms()


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

    @torch.no_grad()
    def merge_norms(self) -> None:
        """As `Transformer.merge_norms`."""
        for name, layer in (("attention_norm", self.query_key_value), ("feed_forward_norm", self.expand)):
            scale = self.get_submodule(name).get_parameter("weight")
            layer.weight.copy_(layer.weight * scale * len(scale) ** 0.5)
            setattr(self, name, _Direction(layer.weight.dtype))

    def forward(self, x: Tensor, turn: Tensor, first_frame: int = 0) -> Tensor:
        """`turn` is that of `rotate`."""
        dtype = self.output.weight.dtype
        attended = self._attend(self.attention_norm(x).to(dtype), turn, first_frame)
        x = x[:, first_frame:] + self.output(attended)
        return x + self.contract(self.expand(self.feed_forward_norm(x).to(dtype)))

    def _attend(self, x: Tensor, turn: Tensor, first_frame: int) -> Tensor:
        stacked = self.query_key_value(x).unflatten(-1, (3 * self._heads, -1))
        turned = rotate(stacked[:, :, : 2 * self._heads], turn).transpose(1, 2)
        query, key = turned.chunk(2, dim=1)
        value = stacked[:, :, 2 * self._heads :].transpose(1, 2)
        return _mix(query[:, :, first_frame:], key, value).transpose(1, 2).flatten(2)


def _mix(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The values of the frames that are attended to, [batch, heads, frames, head_width]."""
    if torch.is_grad_enabled() and query.device.type == "cpu":
        # Trained by plain products, it takes a quarter of the time that the gradients of the fused kernel do.
        return ((query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)).softmax(-1) @ value
    return F.scaled_dot_product_attention(query, key, value)


class _Direction(nn.Module):
    """What a norm gives before it scales the channels, of length 1."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_(min=_SHORTEST)
        return torch.div(x, length, out=torch.empty_like(x, dtype=self._dtype))


def rotary_turn(frames: int, head_width: int, device: torch.device) -> Tensor:
    """By what `rotate` multiplies the channels of each position, float32 [2, frames, 1, head_width]."""
    frequencies = 1e4 ** -(torch.arange(0, head_width, 2, device=device) / head_width)
    angles = torch.arange(frames, device=device)[:, None, None] * frequencies
    cosine, sine = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cosine, cosine], -1), torch.cat([-sine, sine], -1)])


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn each pair of channels, one of each half, of [..., frames, heads, head_width]."""
    others = x.unflatten(-1, (2, -1)).flip(-2).flatten(-2)
    return torch.addcmul(x * turn[0], others, turn[1])
