"""The masked language model over codec tokens, conditioned on the speech encoder (MaskSR, arXiv 2406.02092)."""

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn

from model.speech_encoder import SpeechEncoder
from model.transformer import Transformer


class LanguageModelConfig(BaseModel):
    """Shape of the speech encoder and of the language model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: PositiveInt
    encoder_layers: PositiveInt
    layers: PositiveInt
    heads: PositiveInt
    feed_forward: PositiveInt


class LanguageModel(nn.Module):
    """Predicts masked tokens of a window from the others and from the noisy audio.

    Tokens are int64 [batch, codebooks, frames]; the value `codebook_size` means masked.
    """

    def __init__(self, config: LanguageModelConfig, codebooks: int, codebook_size: int) -> None:
        super().__init__()
        width = config.width
        self.codebooks, self.mask_token = codebooks, codebook_size
        self.speech_encoder = SpeechEncoder(width, config.encoder_layers, config.heads, config.feed_forward)
        self.no_condition = nn.Parameter(torch.zeros(width))
        # One table for all codebooks: entry v of codebook k is row k * (codebook_size + 1) + v.
        self.embedding = nn.Embedding(codebooks * (codebook_size + 1), width)
        self.transformer = Transformer(width, config.layers, config.heads, config.feed_forward)
        self.head = nn.Linear(width, codebooks * codebook_size)
        self.register_buffer("offsets", torch.arange(codebooks) * (codebook_size + 1), persistent=False)
        self.offsets: Tensor

    def encode(self, audio: Tensor) -> Tensor:
        """Noisy float32 [batch, frames * 512] to the conditioning [batch, frames, width]."""
        condition: Tensor = self.speech_encoder(audio)
        return condition

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        """Logits [batch, frames, codebooks, codebook_size] of every token, masked or not."""
        rows = tokens.transpose(1, 2) + self.offsets
        embedded = self.embedding(rows).sum(2)
        output = self.head(self.transformer(embedded + condition))
        return output.unflatten(-1, (self.codebooks, self.mask_token))

    @torch.no_grad()
    def start_from_codebooks(self, vectors: Tensor) -> None:
        """Initialise embeddings and heads so that tokens that decode alike start alike.

        `vectors` are the codec's entries, float32 [codebooks, codebook_size, channels].
        """
        centred = vectors - vectors.mean(1, keepdim=True)
        unit = centred / centred.square().sum(-1).mean(1).sqrt()[:, None, None]
        width, channels = self.embedding.embedding_dim, vectors.shape[-1]
        for index, entries in enumerate(unit):
            start = index * (self.mask_token + 1)
            spread = torch.randn(channels, width) * (0.5 / self.codebooks**0.5)
            self.embedding.weight[start : start + self.mask_token] = entries @ spread
            rows = slice(index * self.mask_token, (index + 1) * self.mask_token)
            self.head.weight[rows] = entries @ torch.randn(channels, width) / width**0.5
        masked = self.offsets + self.mask_token
        self.embedding.weight[masked] = 0.02 * torch.randn(self.codebooks, width)
        self.head.bias.zero_()
