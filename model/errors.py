"""The project's errors: each carries one sentence that says what to do."""


class MaskSRError(Exception):
    """Base of every error this project raises on purpose; its text is shown to the user as it is."""


class BundleError(MaskSRError):
    """A bundle is missing, damaged, foreign or newer than this program."""


class AudioFileError(MaskSRError):
    """An audio file cannot be read or written."""


class DataError(MaskSRError):
    """Training or evaluation data is missing or unusable."""
