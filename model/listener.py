"""One of the `listeners` of the training: a network that foretells opinions from mel spectra."""

import torch
from torch import Tensor, nn

from model.plan import SAMPLE_RATE_HZ
from model.training import TrainingError

_WINDOW_SAMPLES, _HOP_SAMPLES = 885, 441  # 20 and 10 ms
_MELS = 120
_POWER_AT_16_KHZ = (321 / _WINDOW_SAMPLES) ** 2  # of a spectrum, to that of the same sound at 44.1 kHz
_RANGE_DB, _MIDDLE_DB = 80.0, 40.0  # below the loudest band


class Listener(nn.Module):
    """The network of DNSMOS P.808 (Reddy et al. 2020, arXiv 2010.15258), with the weights of `speechmos`.

    It is not the one by which `model.judges.Dnsmos` judges: that is P.835's, of the same authors.

    Raises:
        TrainingError: a package of the extra `train` is missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.filters: Tensor
        self.window: Tensor
        weights, filters = _load()
        self.register_buffer("filters", filters * _POWER_AT_16_KHZ)
        self.register_buffer("window", torch.hann_window(_WINDOW_SAMPLES))
        self.network = nn.Sequential(
            *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()),
            *(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)),
        )
        with torch.no_grad():
            for parameter, weight in zip(self.network.parameters(), weights, strict=True):
                parameter.copy_(weight.T if weight.ndim == 2 else weight)
        self.requires_grad_(False)

    def forward(self, audio: Tensor) -> Tensor:
        """Opinions from 1 to 5, float32 [batch], of float32 [batch, samples] at 44.1 kHz.

        The network learned from 9 s; of shorter clips it thinks less, in the same order.
        """
        opinions: Tensor = self.network(self._mel(audio)[:, None])
        return opinions[:, 0]

    def _mel(self, audio: Tensor) -> Tensor:
        """Levels below the loudest band, 1 to -1, [batch, frames, 120]."""
        spectrum = torch.stft(
            audio, _WINDOW_SAMPLES, _HOP_SAMPLES, window=self.window, pad_mode="constant", return_complex=True
        )
        power = self.filters @ torch.view_as_real(spectrum).square().sum(-1)
        levels_db = 10 * power.clamp(min=1e-10).log10()
        loudest_db = levels_db.detach().amax((1, 2), keepdim=True)
        audible_db = torch.maximum(levels_db - loudest_db, levels_db.new_tensor(-_RANGE_DB))
        return (audible_db.transpose(1, 2) + _MIDDLE_DB) / _MIDDLE_DB


def _load() -> tuple[list[Tensor], Tensor]:
    """Weights in the order of the layers, and mel filters, float32 [120, bins]."""
    try:
        import openvino
        from faster_whisper.feature_extractor import FeatureExtractor

        from model.judges import package_folder

        path = package_folder("speechmos") / "dnsmos_models" / "model_v8.onnx"
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"{error.name} is missing, which an opinion_weight above 0 needs: install the extra `train`,"
            " or set it to 0."
        ) from error
    filters = FeatureExtractor.get_mel_filters(SAMPLE_RATE_HZ, _WINDOW_SAMPLES, n_mels=_MELS)
    nodes = openvino.Core().read_model(path).get_ordered_ops()
    weights = [node.get_data() for node in nodes if node.get_type_name() == "Constant"]
    tensors = [torch.tensor(weight) for weight in weights if weight.dtype == "float32"]
    return tensors, torch.from_numpy(filters).float()
