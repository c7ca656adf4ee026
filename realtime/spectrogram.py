"""A picture of a sound before and after restoration."""

from pathlib import Path

import numpy as np
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from model.plan import SAMPLE_RATE_HZ
from realtime.ring import Samples

WINDOW_SAMPLES, HOP_SAMPLES = 2048, 512
FLOOR_DB, CEILING_DB = -100.0, -20.0  # of a full-scale sine: where speech lies


def save_spectrograms(
    path: Path, before: Samples, after: Samples, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> None:
    """Draw `before` above `after`, float32 [samples] each, on the same axes, as a PNG.

    What is shorter than a window, as of a demo that was stopped at once, is drawn as if silence followed.
    """
    figure = Figure(figsize=(10, 6), dpi=110, layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, sharey=True)
    for axis, title, audio in zip(axes, ("before", "after"), (before, after), strict=True):
        image = _draw(axis, audio, sample_rate_hz)
        axis.set(title=title, ylabel="kHz")
    axes[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=axes, label="dB of full scale")
    figure.savefig(path)


def _draw(axis: Axes, audio: Samples, sample_rate_hz: int) -> AxesImage:
    audio = np.pad(audio, (0, max(0, WINDOW_SAMPLES - len(audio))))
    _, _, spectrum = scipy.signal.stft(
        audio, sample_rate_hz, nperseg=WINDOW_SAMPLES, noverlap=WINDOW_SAMPLES - HOP_SAMPLES
    )
    decibels = 20 * np.log10(np.maximum(2 * np.abs(spectrum), 1e-9))
    extent = (0.0, len(audio) / sample_rate_hz, 0.0, sample_rate_hz / 2000)
    return axis.imshow(
        decibels, origin="lower", aspect="auto", extent=extent, vmin=FLOOR_DB, vmax=CEILING_DB, cmap="magma"
    )
