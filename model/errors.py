"""The project's errors: each carries one sentence that says what to do."""

from model.translation import _


class MaskSRError(Exception):
    """Base of every error this project raises on purpose; its text is shown to the user as it is."""


class BundleError(MaskSRError):
    """A bundle is missing, damaged, foreign or newer than this program."""


class AudioFileError(MaskSRError):
    """An audio file cannot be read or written."""


class DataError(MaskSRError):
    """Training or evaluation data is missing or unusable."""


class GraphicsCardError(MaskSRError):
    """The graphics card cannot do its work; `notice` tells that the CPU takes over."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The graphics card has no memory left or stopped working:"
                " close what else uses it and start again."
            )
        )

    @property
    def notice(self) -> str:
        return _("{problem} Until then, the processor restores.", problem=self)
