"""The neural audio codec (DAC). No other file imports the `dac` package."""

import functools
import math
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt, model_validator
from torch import Tensor, nn

from model.channels_last import pack_weights, to_channels_last, to_image
from model.codebooks import audibility, codebook_of, search
from model.filter_bank import FilterBank, all_but_banks_to, folded
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.stages import reach_samples, run_span, to_stages

MARGIN_FRAMES = 8  # the official codec's encoder hears +-84.6 ms
DECODE_CONTEXT_FRAMES = 10  # a decoded frame hears this many frames before it


class CodecConfig(BaseModel):
    """Constructor arguments of `dac.DAC`; the hop is always one codec frame (512 samples)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder_dim: PositiveInt
    encoder_rates: tuple[PositiveInt, ...]
    latent_dim: PositiveInt | None = None
    decoder_dim: PositiveInt
    decoder_rates: tuple[PositiveInt, ...]
    n_codebooks: PositiveInt = 9
    codebook_size: PositiveInt = 1024
    codebook_dim: PositiveInt = 8

    @model_validator(mode="after")
    def _one_frame_a_hop(self) -> "CodecConfig":
        if not math.prod(self.encoder_rates) == math.prod(self.decoder_rates) == FRAME_SAMPLES:
            raise ValueError(f"the rates of encoder and decoder must each multiply to {FRAME_SAMPLES}")
        return self

    @property
    def latent_channels(self) -> int:
        """Channels of what the quantizer is given."""
        return self.latent_dim or self.encoder_dim * 2 ** len(self.encoder_rates)


def build_dac(config: CodecConfig) -> Any:
    """A randomly initialised `dac.DAC` of the given shape."""
    dac = import_dac()
    arguments = config.model_dump() | {
        "encoder_rates": list(config.encoder_rates),
        "decoder_rates": list(config.decoder_rates),
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*weight_norm", category=FutureWarning)
        return dac.DAC(**arguments, sample_rate=SAMPLE_RATE_HZ)


class Codec:
    """A trained `dac.DAC` for inference: audio to tokens and back.

    Its encoder hears `margin_frames` on either side of a frame, none of them more than `MARGIN_FRAMES`.

    The convolutions compute in `dtype`; the quantizer, where small differences change a token, in float32.
    It searches tokens with `search_width`, of which 1 is DAC's own choice.
    """

    def __init__(self, dac: Any, dtype: torch.dtype, search_width: int = 1) -> None:
        self._dac, self._dtype = dac.eval(), dtype
        fold_weight_norm(dac)
        dac.requires_grad_(False)
        self._encoder, decoder = (_lean(network, dtype) for network in (dac.encoder.block, dac.decoder.model))
        self._search_width = search_width
        self._codebooks = [codebook_of(quantizer) for quantizer in dac.quantizer.quantizers]
        self._vectors = self.vectors().flatten(0, 1)
        self._is_encoded = dac.encoder.block[-1].weight.flatten(1).any(1)  # the others are for noise filling
        self._decoder = to_stages(decoder)
        self.margin_frames = -(-reach_samples(to_stages(self._encoder)) // FRAME_SAMPLES)
        self.codebooks: int = dac.n_codebooks
        self.codebook_size: int = dac.codebook_size

    @torch.no_grad()
    def latents(self, audio: Tensor) -> Tensor:
        """float32 [batch, frames * 512] at 44.1 kHz to latents, float32 [batch, channels, frames]."""
        dtype = torch.float32 if isinstance(self._encoder[0], FilterBank) else self._dtype
        latents: Tensor = self._encoder(to_image(audio[:, None], dtype))
        return latents.squeeze(2).float()

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """float32 [batch, frames * 512] at 44.1 kHz to tokens, int64 [batch, codebooks, frames]."""
        return self.quantize(self.latents(audio))

    @torch.no_grad()
    def quantize(self, latents: Tensor) -> Tensor:
        """Latents, float32 [batch, channels, frames], to tokens, int64 [batch, codebooks, frames]."""
        if self._search_width == 1:
            tokens: Tensor = self._dac.quantizer(latents)[1]
            return tokens
        points = latents.transpose(1, 2).flatten(0, 1)
        weights = audibility(points) * self._is_encoded
        found = search(points, self._codebooks, self._search_width, weights)
        return found.unflatten(1, (len(latents), -1)).transpose(0, 1)

    @torch.no_grad()
    def decode(self, tokens: Tensor, start_frame: int = 0, stop_frame: int | None = None) -> Tensor:
        """Tokens, int64 [batch, codebooks, frames], to float32 [batch, (stop_frame - start_frame) * 512].

        All tokens are heard, but no more is computed than the sound of the wanted frames depends on.
        """
        latents = self._latents_of(tokens)
        stop_frame = tokens.shape[-1] if stop_frame is None else stop_frame
        span = start_frame * FRAME_SAMPLES, stop_frame * FRAME_SAMPLES
        audio = run_span(self._decoder, to_image(latents, self._dtype), *span)
        return audio[:, 0, 0].float()

    def _latents_of(self, tokens: Tensor) -> Tensor:
        """What DAC's `from_codes` gives, of vectors that are not made anew every time."""
        offsets = torch.arange(self.codebooks, device=tokens.device) * self.codebook_size
        rows = tokens.transpose(1, 2) + offsets
        sums = nn.functional.embedding_bag(rows.flatten(0, 1), self._vectors, mode="sum")
        return sums.unflatten(0, rows.shape[:2]).transpose(1, 2)

    @torch.no_grad()
    def vectors(self) -> Tensor:
        """What each codebook entry adds to the latents, float32 [codebooks, codebook_size, channels]."""
        return torch.stack(
            [q.out_proj(q.codebook.weight.t()[None])[0].t() for q in self._dac.quantizer.quantizers]
        )

    @torch.no_grad()
    def lookup(self) -> tuple[Tensor, Tensor]:
        """The quantizer's choice as a linear map: entry = argmax(weight @ residual + bias).

        Both are scaled to log-probabilities under noise of four times the quantisation error, about what
        restored latents have.

        Returns:
            float32 weight [codebooks, codebook_size, channels] and bias [codebooks, codebook_size].
        """
        maps = [_lookup(quantizer) for quantizer in self._dac.quantizer.quantizers]
        return torch.stack([weight for weight, _ in maps]), torch.stack([bias for _, bias in maps])


def fold_weight_norm(network: nn.Module) -> None:
    """Have weights be what training made them of, a direction and a length."""
    for module in network.modules():
        if hasattr(module, "weight_g"):
            nn.utils.remove_weight_norm(module)


def _lean(modules: nn.Sequential, dtype: torch.dtype) -> nn.Sequential:
    """The steps of an encoder or decoder for inference, most of them computing in `dtype`."""
    steps = folded(modules, dtype)
    to_channels_last(all_but_banks_to(steps, dtype))
    if next(steps.parameters()).device.type == "cpu" and torch.backends.mkldnn.is_available():
        pack_weights(steps)
    return steps


def _lookup(quantizer: Any) -> tuple[Tensor, Tensor]:
    entries = quantizer.codebook.weight
    spread = (entries - entries.mean(0)).square().sum(1).mean()
    # Quantisation error of an ideal quantizer of a Gaussian at this rate.
    dimensions = int(quantizer.in_proj.weight.flatten(1).any(1).sum())  # the others hold no sound
    error = 2 ** (-2 * math.log2(len(entries)) / dimensions) * spread
    rows = nn.functional.normalize(entries) * entries.norm(dim=1).mean() * dimensions / (4 * error)
    rows = rows - rows.mean(0)  # what all entries share makes no difference, but large numbers lose precision
    return rows @ quantizer.in_proj.weight[:, :, 0], rows @ quantizer.in_proj.bias


@functools.cache
def import_dac() -> ModuleType:
    """Import the `dac` package, whether or not torchaudio works on this machine.

    Slow (half a second beyond torch itself), so call it when a model is loaded and not before.
    """
    with torchaudio_or_stand_in(), _stand_in("torch.utils.tensorboard", SummaryWriter=None):
        import dac
    return dac


# dac imports audiotools, which imports what the codec never calls: torchaudio for resampling effects and
# file access, and TensorBoard, which takes long to import, for its own training. The released torchaudio
# wheels link against the CUDA libraries, so beside a CPU-only torch the import itself fails. Empty modules
# take their places for as long as audiotools is being imported: code that really wants them still finds them.
@contextmanager
def torchaudio_or_stand_in() -> Iterator[None]:
    """Within, what only names torchaudio can be imported, whether or not that works on this machine."""
    if _torchaudio_works():
        yield
        return
    with _stand_in("torchaudio"):
        yield


@contextmanager
def _stand_in(name: str, **attributes: object) -> Iterator[None]:
    before = sys.modules.get(name)
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(attributes)
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def _torchaudio_works() -> bool:
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError, RuntimeError):  # missing, linked against CUDA, built for another CUDA
        return False
    return True
