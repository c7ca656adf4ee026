"""The bundled noisy sample through a live session, for machines without a screen or a sound device."""

from collections.abc import Callable
from pathlib import Path

import soundfile

from realtime.engine import LiveSession
from realtime.messages import SessionReport
from realtime.paced_file import PacedFile
from realtime.processor import WindowRestorer
from realtime.report import describe
from realtime.spectrogram import save_spectrograms

SAMPLE = Path(__file__).parent / "samples" / "noisy_speech.flac"


def run_demo(restorer: WindowRestorer, folder: Path, on_progress: Callable[[float], None]) -> SessionReport:
    """Stream the sample at real-time pace; leave `restored.wav`, `before_after.png` and `report.txt`.

    `on_progress` gets the share that is done, 0 to 1. Raises AudioFileError if `folder` cannot be written to.
    """
    target = folder / "restored.wav"
    device = PacedFile(SAMPLE, target)
    with LiveSession(restorer, device) as session:
        report = session.run(lambda report: on_progress(min(1.0, report.seconds / device.seconds)))
    before, after = (soundfile.read(path, dtype="float32")[0] for path in (SAMPLE, target))
    save_spectrograms(folder / "before_after.png", before, after)
    (folder / "report.txt").write_text(describe(report) + "\n", encoding="utf-8")
    return report
