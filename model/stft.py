"""The short-time Fourier transform, in windows centred on the frames of the codec."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.plan import FRAME_SAMPLES

WINDOW_SAMPLES = 2048
BINS = WINDOW_SAMPLES // 2 + 1
_OVERLAPS = WINDOW_SAMPLES // FRAME_SAMPLES


class Stft(nn.Module):
    """To spectra and back; silence is assumed around the audio.

    With a smaller window it is that of audio at a lower rate, whose bins and frames are the same.
    """

    def __init__(self, window_samples: int = WINDOW_SAMPLES) -> None:
        super().__init__()
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(window_samples), persistent=False)
        self._window_samples, self._hop_samples = window_samples, window_samples // _OVERLAPS
        self._margin_samples = (self._window_samples - self._hop_samples) // 2
        self._scales: dict[tuple[int, torch.device], Tensor] = {}

    def analyse(self, audio: Tensor) -> Tensor:
        """Spectra, complex64 [batch, frames, bins], of float32 [batch, frames * hop]; 1025 bins, hop 512."""
        padded = F.pad(audio, (self._margin_samples, self._margin_samples))
        spectrum = torch.stft(
            padded,
            self._window_samples,
            self._hop_samples,
            window=self.window,
            center=False,
            return_complex=True,
        )
        return spectrum.transpose(1, 2)

    def synthesise(self, spectrum: Tensor) -> Tensor:
        """Audio of spectra, by weighted overlap and add (Griffin and Lim 1984)."""
        pieces = torch.fft.irfft(spectrum, self._window_samples) * self.window
        return self._overlap_add(pieces) * self._scale(pieces.shape[1])

    def _scale(self, frames: int) -> Tensor:
        """What brings overlapping windows, squared, to a sum of 1, float32 [frames * hop]."""
        key = frames, self.window.device
        if key not in self._scales:
            weights = self.window.square().expand(frames, -1)
            self._scales[key] = self._overlap_add(weights).reciprocal()
        return self._scales[key]

    def _overlap_add(self, pieces: Tensor) -> Tensor:
        """[..., frames, window], each centred on its codec frame, to [..., frames * hop]."""
        hops = pieces.unflatten(-1, (_OVERLAPS, self._hop_samples)).unbind(-2)
        padded = [F.pad(hop, (0, 0, place, _OVERLAPS - 1 - place)) for place, hop in enumerate(hops)]
        return torch.stack(padded).sum(0).flatten(-2)[..., self._margin_samples : -self._margin_samples]
