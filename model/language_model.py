"""The masked language model over codec tokens, conditioned on the speech encoder (MaskSR, arXiv 2406.02092)."""

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn

from model.codec import Codec
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

    def __init__(
        self, config: LanguageModelConfig, codebooks: int, codebook_size: int, latent_channels: int
    ) -> None:
        super().__init__()
        width = config.width
        self.codebooks, self.mask_token = codebooks, codebook_size
        self.speech_encoder = SpeechEncoder(
            width, config.encoder_layers, config.heads, config.feed_forward, latent_channels
        )
        self.no_condition = nn.Parameter(torch.zeros(width))
        # One table for all codebooks: entry v of codebook k is row k * (codebook_size + 1) + v.
        self.embedding = nn.Embedding(codebooks * (codebook_size + 1), width)
        self.transformer = Transformer(width, config.layers, config.heads, config.feed_forward)
        self.head = nn.Linear(width, codebooks * codebook_size)
        self.register_buffer("offsets", torch.arange(codebooks) * (codebook_size + 1), persistent=False)
        self.offsets: Tensor

    def encode(self, audio: Tensor, latents: Tensor) -> Tensor:
        """Noisy audio, float32 [batch, frames * 512], and its latents to the conditioning [batch, frames, width]."""
        condition: Tensor = self.speech_encoder(audio, latents)
        return condition

    def forward(self, tokens: Tensor, condition: Tensor, first_frame: int = 0) -> Tensor:
        """Logits [batch, frames, codebooks, codebook_size] of every token from `first_frame` on, masked or not."""
        rows = tokens.transpose(1, 2) + self.offsets
        embedded = self.embedding(rows).sum(2)
        output = self.head(self.transformer(embedded + condition)[:, first_frame:])
        return output.unflatten(-1, (self.codebooks, self.mask_token))

    @torch.no_grad()
    def start_from_codec(self, codec: Codec) -> None:
        """Start as the codec's own quantizer, so that training begins at a copy of the noisy speech.

        The conditioning begins as the noisy latents, each known token takes its vector off them, and the heads
        choose among the next codebook's entries as the quantizer does among what is left.
        """
        vectors, (weight, bias) = codec.vectors().cpu(), codec.lookup()
        channels = vectors.shape[-1]
        self.embedding.weight.zero_()
        tables = self.embedding.weight.view(self.codebooks, self.mask_token + 1, -1)
        tables[:, : self.mask_token, :channels] = -vectors
        self.head.weight.mul_(0.05)[:, :channels] = weight.cpu().flatten(0, 1)
        self.head.bias.copy_(bias.flatten())
        encoder = self.speech_encoder
        nn.init.zeros_(encoder.project[-1].weight)
        nn.init.zeros_(encoder.project[-1].bias)
        nn.init.eye_(encoder.project_latents.weight)
