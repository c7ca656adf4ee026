"""Every word the window shows, in one place; gettext takes translations from the user's language, if any."""

import gettext
from pathlib import Path

_ = gettext.translation("masksr-live", Path(__file__).parent / "translations", fallback=True).gettext

APP = "MaskSR Live"

# Settings.
SETTINGS_SET_ASIDE = _(
    "Your settings were damaged ({problem}) and are kept as {path}; the window starts with its own choices."
)
SETTINGS_UNREADABLE = _("Your settings in {path} cannot be read ({error}); see to the rights of that file.")
SETTINGS_NOT_SAVED = _("Your settings could not be saved in {path} ({error}); see to the place.")
SETTINGS_VERSION = _("version {version} is not one of 1 to {newest}")

# Pictures of the sound.
MICROPHONE = _("Microphone")
RESTORED = _("Restored")
METERS = _("Levels")
METER_PEAK = _("{signal}: highest peak in dBFS")
METER_CLIP = _("CLIP")
METER_CLIPPED = _("Clipped")
METER_NOT_CLIPPED = _("Not clipped")
METER_CLIP_HELP = _("Lights up when the sound was too loud; turn the microphone down until it stays dark.")
SPECTROGRAMS = _("Spectrograms of the last seconds, the microphone above the restored sound")
SPECTRUM = _("Spectrum of the microphone and of the restored sound")
KILOHERTZ = "kHz"
DECIBELS = "dB"


def number(value: float, form: str = "") -> str:
    """`value` in format `form` with a true minus sign."""
    return format(value, form).replace("-", "−")
