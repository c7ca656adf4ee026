"""The bundled noisy sample through a live session, for machines without a screen or a sound device."""

from collections.abc import Callable
from pathlib import Path

import soundfile

from realtime.file_session import stream_file
from realtime.messages import SessionReport
from realtime.model_process import Load, ModelOrder
from realtime.report import describe
from realtime.spectrogram import save_spectrograms

SAMPLE = Path(__file__).parent / "samples" / "noisy_speech.flac"


def run_demo(
    order: ModelOrder, load: Load, folder: Path, on_progress: Callable[[float], None]
) -> SessionReport:
    """Stream the sample at real-time pace; leave `restored.wav`, `before_after.png` and `report.txt`.

    `on_progress` gets the share that is done, 0 to 1. Raises AudioFileError if `folder` cannot be written to.
    """
    target = folder / "restored.wav"
    report = stream_file(SAMPLE, target, order, load, on_progress)
    before, after = (soundfile.read(path, dtype="float32")[0] for path in (SAMPLE, target))
    (folder / "report.txt").write_text(describe(report) + "\n", encoding="utf-8")
    save_spectrograms(folder / "before_after.png", before, after)
    return report
