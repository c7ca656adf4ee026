"""A stretch of sound before and after restoration, to be kept."""

from dataclasses import dataclass
from pathlib import Path

from realtime.audio_file import open_target, replacing
from realtime.ring import Samples


@dataclass(frozen=True)
class Comparison:
    """Both signals of the same time, float32 [samples] each."""

    dry: Samples
    restored: Samples
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.dry) / self.sample_rate_hz

    def save(self, folder: Path) -> None:
        """Leave `before.wav`, `after.wav` and `before_after.png`. Raises AudioFileError."""
        from realtime.spectrogram import save_spectrograms  # a window must not wait for matplotlib

        self._save_sound(folder / "before.wav", self.dry)
        self._save_sound(folder / "after.wav", self.restored)
        save_spectrograms(folder / "before_after.png", self.dry, self.restored, self.sample_rate_hz)

    def _save_sound(self, target: Path, sound: Samples) -> None:
        with (
            replacing(target) as part,
            open_target(part, target, self.sample_rate_hz, 1, len(sound)) as writer,
        ):
            writer.write(sound)
