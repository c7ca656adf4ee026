"""The short-time Fourier transform, in windows centred on the frames of the codec."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.plan import FRAME_SAMPLES

WINDOW_SAMPLES = 2048
BINS = WINDOW_SAMPLES // 2 + 1
_MARGIN_SAMPLES = (WINDOW_SAMPLES - FRAME_SAMPLES) // 2
_OVERLAPS = WINDOW_SAMPLES // FRAME_SAMPLES


class Stft(nn.Module):
    """To spectra and back; silence is assumed around the audio."""

    def __init__(self) -> None:
        super().__init__()
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES), persistent=False)

    def analyse(self, audio: Tensor) -> Tensor:
        """Spectra, complex64 [batch, frames, 1025], of float32 [batch, frames * 512]."""
        padded = F.pad(audio, (_MARGIN_SAMPLES, _MARGIN_SAMPLES))
        spectrum = torch.stft(
            padded, WINDOW_SAMPLES, FRAME_SAMPLES, window=self.window, center=False, return_complex=True
        )
        return spectrum.transpose(1, 2)

    def synthesise(self, spectrum: Tensor) -> Tensor:
        """Audio of spectra, by weighted overlap and add (Griffin and Lim 1984)."""
        pieces = torch.fft.irfft(spectrum, WINDOW_SAMPLES) * self.window
        weights = self.window.square().expand(pieces.shape[1], -1)
        return _overlap_add(pieces) / _overlap_add(weights)


def _overlap_add(pieces: Tensor) -> Tensor:
    """[..., frames, 2048], each centred on its codec frame, to [..., frames * 512]."""
    hops = pieces.unflatten(-1, (_OVERLAPS, FRAME_SAMPLES)).unbind(-2)
    padded = [F.pad(hop, (0, 0, place, _OVERLAPS - 1 - place)) for place, hop in enumerate(hops)]
    return torch.stack(padded).sum(0).flatten(-2)[..., _MARGIN_SAMPLES:-_MARGIN_SAMPLES]
