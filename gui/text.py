"""Every word that the window has of its own, in the language chosen before this module is imported.

A sentence with braces is made by `str.format`, one that counts by a function. What the engine says comes to
the window translated.
"""

from model.translation import _, ngettext

APP = "MaskSR Live"

# What the system refuses.
NOT_DONE = _("That could not be done ({error}); see to the place, its rights and its space.")

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
METER_UNIT = _("dBFS")
METER_PEAK = _("{signal}: highest peak in dBFS")
METER_CLIP = _("CLIP")
METER_CLIPPED = _("Clipped")
METER_NOT_CLIPPED = _("Not clipped")
METER_CLIP_HELP = _("Lights up when the sound was too loud; turn the microphone down until it stays dark.")
SPECTROGRAMS = _("Spectrograms of the last seconds, the microphone above the restored sound")
SPECTRUM = _("Spectrum of the microphone and of the restored sound")

# Numbers with their units.
DECIBELS = _("{} dB")
HERTZ = _("{} Hz")
KILOHERTZ = _("{} kHz")
SECONDS = _("{} s")
MILLISECONDS = _("{:.0f} ms")
PER_CENT = _("{:.0f} %")

# Delay and load.
UNKNOWN = "–"
DELAY = _("Delay")
DELAY_PARTS = (_("Capture"), _("Algorithm"), _("Compute"), _("Output"))
DELAY_HELP = (
    _("What the microphone and the system hold back before the program hears it."),
    _("What the model has to hear first: a hop and the look-ahead; a preset sets it."),
    _("What is set aside for computing a hop."),
    _("What the system holds back before the listener hears it."),
)
STATUS = _("State of the engine")
LOAD = _("Load")
LOAD_HELP = _("Time that computing takes, of the time there is; 19 of 20 hops take less.")
PASSES = _("Passes")
PASSES_OF = _("{now} of {wanted}")
PASSES_HELP = _("How often the model goes over each hop now, and how often the preset wants it to.")
RUNG = _("Effort")
RUNG_FULL, RUNG_LESS, RUNG_NONE = _("full"), _("less"), _("none")
RUNG_HELP = _("The program does less, rather than fall behind, when the machine is busy.")
DROPOUTS = _("Dropouts")
DROPOUTS_HELP = _("Blocks that were not ready in time and went out unrestored.")
COMPUTES_ON = _("Computes on")
COMPUTES_ON_HELP = _("The processor or graphics card that the model runs on.")

# What the engine does.
LOADING = _("Loading the model… {percent:.0f} %")
RUNNING = _("Restoring your voice")
TOO_BUSY = _("Too busy: your microphone goes out as it is")
BYPASSED = _("Bypassed: your microphone goes out as it is")
HEARS_DRY = _("Hearing the microphone as it is")
MUTED = _("Muted: nothing goes out")
DRY = _("Passing the microphone on as it is")
RECOVERING = _("Reconnecting…")
FAILED = _("The engine stopped")
STOPPED = _("Stopped")
NOT_STARTED = _("The engine could not be started ({error}); close other programs, then restart it.")
ROUTE = _("{microphone}  →  {output}")
NO_ROUTE = _("Waiting for the devices")

# The header.
BYPASS = _("Bypass")
BYPASS_TIP = _("Send the microphone out as it is, with the same delay ({key})")
MUTE = _("Mute")
MUTE_TIP = _("Send out silence ({key})")
HOLD_DRY = _("Hold for dry")
HOLD_DRY_TIP = _("Hear the microphone as it is for as long as you hold this, or the key {key}")
LOADING_PROGRESS = _("Loading of the model")
RESTART = _("Restart")
DISMISS = _("Dismiss")

# Devices.
MICROPHONE_FIELD = _("&Microphone")
VIRTUAL_MIC = _("&Virtual microphone for calls")
VIRTUAL_MIC_TIP = _("A microphone that call programs can choose, made while this window runs")
VIRTUAL_MIC_ON = _("In the call, choose “{name}”")
VIRTUAL_MIC_WAITING = _("Being made…")
VIRTUAL_MIC_OFF = _("Off: calls cannot hear the restored voice")
OUTPUT_FIELD = _("&Output")
MONITOR_FIELD = _("&Listen on")
MONITOR_TIP = _("Hear the restored voice yourself; use headphones, or the microphone hears it too")
NOBODY = _("Nobody listens")
SYSTEM_DEFAULT = _("System default")
SYSTEM_DEFAULT_NAMED = _("System default ({name})")
NOT_CONNECTED = _("{name} (not connected)")

# Presets.
PRESET_FIELD = _("&Preset")
PRESET_MEASURED = _("Best for this machine")
PRESET_MEASURED_NAMED = _("Best for this machine ({title})")
PRESET_MENU = _("Preset menu")
PRESET_SAVE = _("Save as…")
PRESET_RENAME = _("Rename…")
PRESET_DELETE = _("Delete")
PRESET_EXPORT = _("Export…")
PRESET_ADD = _("Add from a file…")
PRESET_NAME = _("Name of the preset")
PRESET_DELETE_SURE = _("Delete the preset “{title}”? It cannot be brought back.")
PRESET_FILES = _("Presets (*.toml)")
PASSES_FIELD = _("&Quality")
PASSES_WORDS = (_("standard"), _("good"), _("better"), _("high"), _("highest"))
PASSES_TIP = _("More sampling passes can sound better and load the machine more")
LOOKAHEAD_FIELD = _("&Delay")
LOOKAHEAD_WORDS = (_("shortest"), _("short"), _("medium"), _("long"), _("longest"))
LOOKAHEAD_VALUE = _("{word} · {ms:.0f} ms ahead")
LOOKAHEAD_TIP = _("How far the model looks ahead: more sounds better and comes later")
MIX_FIELD = _("Mi&x")
MIX_VALUE = _("{percent} % restored")
MIX_TIP = _("How much of the restored voice goes out, and how much of the microphone as it is")

# Pages.
LIVE_PAGE = _("Live")
LISTEN_PAGE = _("Listen back")
FILES_PAGE = _("Files")
HEALTH_PAGE = _("Health")
SETTINGS_PAGE = _("Settings")

# Listening back.
LISTEN_INTRO = _("Speak, then take the last {seconds} seconds.\n\nHear them before and after, and keep them.")
LISTEN_TAKE = _("Ta&ke last {seconds} s")
LISTEN_DRY = _("Play &before")
LISTEN_RESTORED = _("Play &after")
LISTEN_STOP = _("S&top")
LISTEN_SAVE = _("Sav&e…")
LISTEN_FOLDER = _("Where to save both sounds and a picture")
LISTEN_SAVED = _("Saved in {folder}")
LISTEN_NOWHERE = _("There is no device to listen on; choose one under “Listen on”.")
LISTEN_EMPTY = _("Nothing has been heard yet; speak first.")

# Health, by the names of `realtime.checks`.
HEALTH_CHECK = _("&Check again")
HEALTH_CHECKING = _("Checking…")
HEALTH_GOOD = _("Everything is in order.")
HEALTH_PROBLEMS = _("To see to: {count}")
HEALTH_OK = _("in order")
HEALTH_BAD = _("to see to")
HEALTH_MARKS = {True: "✓", False: "✗"}
HEALTH_NAMES = {
    "sound server": _("Sound server"),
    "PortAudio": _("PortAudio"),
    "microphone": _("Microphone"),
    "speaker": _("Speaker"),
    "virtual microphone": _("Virtual microphone"),
    "permissions": _("Permissions"),
    "model": _("Model"),
    "speed": _("Speed"),
}

# Settings page.
THEME = _("&Colours")
THEMES = {"system": _("As the system"), "dark": _("Dark"), "light": _("Light")}
CLOSE_TO_TRAY = _("&Keep running in the tray when the window is closed")
AUTOSTART = _("Start when I log &in")
IN_MENU = _("Show in the desktop's men&u")
IN_MENU_FAILED = _("The desktop's menu could not be changed in {place} ({error}); see to its rights.")
HOTKEY = _("Ke&y for bypass in any program")
HOTKEY_CLEAR = _("No key")
HOTKEY_HERE_ONLY = _(
    "This desktop lets no program see keys while another is in front; {key} works in this window."
)
HOTKEY_TAKEN = _("{key} belongs to another program; choose another key.")
HOTKEY_UNKNOWN = _("{key} cannot be a key for all programs; choose one with a letter or a function key.")
HOTKEY_UNREACHABLE = _(
    "The X server hands this program no keys ({error}); see whether `xauth list` names this computer."
)
HOTKEY_HINT = _("Works while another program is in front.")
HOTKEY_SHARED = _("Works while another program is in front; that program is handed the key as well.")
HOTKEY_UNTRUSTED = _(
    "macOS lets only programs that you trust hear this key: in the System Settings under Privacy & Security, "
    "allow this one, or the terminal it runs in, in Accessibility and Input Monitoring; then start it again."
)
HOTKEY_LOST = _("The key is not heard any more; choose no key, and then the key again.")

# Menus.
FILE_MENU = _("&File")
RESTORE_FILES = _("&Restore files…")
QUIT = _("&Quit")
SOUND_MENU = _("&Sound")

# The desktop.
APP_SUMMARY = _("Makes a bad microphone sound like a studio one, live")
AUTOSTART_FAILED = _("Starting at login could not be changed in {place} ({error}); see to its rights.")
TRAY_SHOW = _("Show the &window")
TRAY_PRESET = _("&Preset")

# Files.
FILES = _("Files to restore")
FILE_EMPTY = _("Drop recordings or folders here.\n\nEach result is saved beside its source.")
FILE_PICK = _("&Add files…")
FILE_PICK_FOLDER = _("Add fold&er…")
FILE_PICK_TITLE = _("Choose what to restore")
FILE_KIND = _("Recordings")
FILE_PRESET = _("Preset for f&iles")
FILE_COUNT = _("{ended} of {count} done")
FILE_CANCEL = _("&Cancel")
FILE_CLEAR = _("Clear do&ne")
FILE_WAITING = _("Waiting")
FILE_LOADING = _("Loading the model…")
FILE_WORKING = _("Restoring… {percent}")
FILE_DONE = _("Saved as “{name}”")
FILE_CANCELLED = _("Cancelled")


def passes_value(word: str, passes: int) -> str:
    return ngettext("{word} · {count} pass", "{word} · {count} passes", passes, word=word)


def listen_taken(seconds: float) -> str:
    return ngettext("{count} second taken", "{count} seconds taken", round(seconds))


def file_partly(dry: int, hops: int, error: str | None) -> str:
    return ngettext(
        "{count} of {hops} parts was left as it was: {error}",
        "{count} of {hops} parts were left as they were: {error}",
        dry,
        hops=hops,
        error=error,
    )


def plain(name: str) -> str:
    """The name of a control as it is read out: without its Alt key and the dots that announce a question."""
    return name.replace("&", "").replace("…", "")


def number(value: float, form: str = "") -> str:
    """`value` in format `form` with a true minus sign."""
    return format(value, form).replace("-", "−")
