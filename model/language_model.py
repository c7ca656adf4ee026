"""The masked language model over codec tokens (MaskSR, arXiv 2406.02092)."""

from typing import Self

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from model.codec import Codec, CodecConfig
from model.plan import FRAME_SAMPLES
from model.sampler import likeliest
from model.speech_encoder import SETTLING_FRAMES, Speech, SpeechEncoder
from model.transformer import Transformer


class LanguageModelConfig(BaseModel):
    """Shape of the speech encoder and of the language model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: PositiveInt
    encoder_layers: PositiveInt
    layers: PositiveInt
    heads: PositiveInt
    feed_forward: PositiveInt

    @model_validator(mode="after")
    def _even_heads(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError("the width must be an even multiple of the heads")
        return self


class LanguageModel(nn.Module):
    """Predicts masked tokens of a window from the others and from the noisy audio.

    Tokens are int64 [batch, codebooks, frames]; the value `codebook_size` means masked.
    """

    def __init__(self, config: LanguageModelConfig, codec: CodecConfig) -> None:
        super().__init__()
        width, codebooks, codebook_size = config.width, codec.n_codebooks, codec.codebook_size
        self.codebooks, self.mask_token = codebooks, codebook_size
        self._latent_channels = codec.latent_channels
        self.speech_encoder = SpeechEncoder(width, config.encoder_layers, config.heads, config.feed_forward)
        self.knowledge = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.knowledge.weight)
        self.no_condition = nn.Parameter(torch.zeros(width))
        # One table for all codebooks: entry v of codebook k is row k * (codebook_size + 1) + v.
        self.embedding = nn.Embedding(codebooks * (codebook_size + 1), width)
        self.transformer = Transformer(width, config.layers, config.heads, config.feed_forward)
        self.heads = nn.ModuleList(nn.Linear(width, codebook_size) for _ in range(codebooks))
        self.register_buffer("offsets", torch.arange(codebooks) * (codebook_size + 1), persistent=False)
        self.offsets: Tensor

    def encode(
        self, audio: Tensor, noise: Tensor, codec: Codec, first_frame: int = 0
    ) -> tuple[Tensor, Speech]:
        """Hear a window's frames from `first_frame` on; `audio` and `noise` as for `SpeechEncoder.forward`.

        Returns:
            the conditioning as `condition` makes it, and what was heard, of some frames before it too.
        """
        margin = min(codec.margin_frames, first_frame)
        start = max(0, first_frame - margin - SETTLING_FRAMES)
        speech: Speech = self.speech_encoder(audio, noise, start)
        latents = codec.latents(speech.enhanced[:, (first_frame - margin - start) * FRAME_SAMPLES :])
        return self.condition(latents[:, :, margin:], speech.known[:, first_frame - start :]), speech

    def condition(self, latents: Tensor, known: Tensor) -> Tensor:
        """The conditioning, float32 [batch, frames, width], by what the speech encoder heard.

        Args:
            latents: the codec's of the enhanced audio, float32 [batch, channels, frames]; they are its first
                channels, so that the language model can at once be taught, or replaced, by the quantizer.
            known: as in `Speech`; it is added.
        """
        more: Tensor = self.knowledge(known).float()
        return F.pad(latents.transpose(1, 2), (0, more.shape[-1] - latents.shape[1])) + more

    def forward(
        self, tokens: Tensor, condition: Tensor, chosen: Tensor | None = None, first_frame: int = 0
    ) -> Tensor:
        """Logits [batch, frames, codebooks, codebook_size] of all tokens from `first_frame` on.

        An entry makes up for what coarser codebooks leave. So a frame's masked tokens are predicted one
        after the other, each as if the coarser ones were those of `chosen`, int64 [batch, codebooks, frames],
        or else the likeliest: one pass is enough to make a frame's tokens fit each other.
        """
        rows = tokens.transpose(1, 2) + self.offsets
        left = self.transformer(self.embedding(rows).sum(2) + condition, first_frame)
        masked = (tokens == self.mask_token)[:, :, first_frame:, None]
        logits: list[Tensor] = []
        for level, head in enumerate(self.heads):
            logits.append(head(left))
            entry = likeliest(logits[-1]) if chosen is None else chosen[:, level]
            left = left + masked[:, level] * self.embedding(entry + self.offsets[level])
        return torch.stack(logits, dim=2)

    @torch.no_grad()
    def leave_out_idle(self) -> None:
        """Do without blocks that add nothing and channels that hold nothing, as many do before training."""
        for transformer in (self.speech_encoder.transformer, self.transformer):
            transformer.leave_out_idle()
        channels = self._latent_channels
        others = (
            self.embedding.weight[:, channels:],
            self.knowledge.weight[channels:],
            self.no_condition[channels:],
        )
        if self.transformer.blocks or any(values.any() for values in others):
            return
        self.knowledge.weight.data = self.knowledge.weight[:channels].contiguous()
        self.no_condition.data = self.no_condition[:channels].contiguous()
        for weight in (self.embedding.weight, *(head.get_parameter("weight") for head in self.heads)):
            weight.data = weight[:, :channels].contiguous()

    @torch.no_grad()
    def start_from_codec(self, codec: Codec) -> None:
        """Start as the codec's own quantizer, so that training begins at a copy of the noisy speech.

        The conditioning begins as the noisy latents, each known token takes its vector off them, and the
        heads choose among the next codebook's entries as the quantizer does among what is left.
        """
        vectors, (weight, bias) = codec.vectors().cpu(), codec.lookup()
        channels = vectors.shape[-1]
        self.embedding.weight.zero_()
        tables = self.embedding.weight.view(self.codebooks, self.mask_token + 1, -1)
        tables[:, : self.mask_token, :channels] = -vectors
        for level, head in enumerate(self.heads):
            head.get_parameter("weight").mul_(0.05)[:, :channels] = weight[level].cpu()
            head.get_parameter("bias").copy_(bias[level])
