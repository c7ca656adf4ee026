"""A microphone and a speaker, or two ends of virtual devices, as one device of a live session."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from threading import Event, Lock

from model.errors import MaskSRError
from model.plan import SAMPLE_RATE_HZ
from model.translation import N_, _
from realtime.audio_device import Capture, Playback
from realtime.booth import remove_leftover_booths
from realtime.device_info import DeviceError, DeviceInfo, Direction, choose_device, same_place
from realtime.device_stream import DeviceStream, block_frames
from realtime.device_watcher import DeviceWatcher
from realtime.devices import list_devices, renew_devices
from realtime.feedback import refuse_feedback, refuse_loop
from realtime.messages import EngineSettings
from realtime.monitor import Monitor
from realtime.sound_server import SoundServerError
from realtime.virtual_cable import find_cable
from realtime.virtual_mic import MADE_HERE, VirtualMic, remove_leftovers

NO_DEVICES = N_("There are no sound devices; see whether PipeWire or PulseAudio is running.")


class DevicePair:
    """The devices that `settings` name, as one `realtime.audio_device.AudioDevice` that never ends by itself.

    A device that is not there, or goes, is waited for; `problem` says so meanwhile. No name means the
    system's default, which a stream follows when another becomes the default. What this program plays is
    never heard.
    """

    has_one_clock = False

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._problem: str | None = None
        self._choosing, self._opening = Lock(), Lock()
        self.finished = Event()
        if settings.found is not None:
            renew_devices(0.0)
        devices = list_devices()
        self.capture_rate_hz = _rate_hz(devices, settings.microphone, "input")
        self.playback_rate_hz = _rate_hz(devices, _played(devices, settings), "output")
        self.capture_block_frames = block_frames(self.capture_rate_hz)
        self.playback_block_frames = block_frames(self.playback_rate_hz)
        self._monitor_rate_hz = _rate_hz(devices, settings.monitor, "output")
        self.monitor = Monitor(self._monitor_rate_hz)

    @property
    def microphone(self) -> DeviceInfo | None:
        """The one in use."""
        return self._heard.device

    @property
    def speaker(self) -> DeviceInfo | None:
        """The one in use."""
        return self._played.device

    @property
    def problem(self) -> str | None:
        """Why some of the sound does not flow: one sentence for the user, that says what to do."""
        return self._heard.problem or self._played.problem or self._monitored.problem

    @property
    def overruns(self) -> int:
        return self._heard.overruns + self._played.overruns

    def start(self, capture: Capture, playback: Playback, delay_seconds: float) -> None:
        """Open the streams; see `realtime.audio_device.AudioDevice`.

        Raises VirtualMicError and SoundServerError where there can be no virtual microphone.
        """
        name = f"{os.getpid()}-{id(self)}"
        with ExitStack() as opening:
            with suppress(SoundServerError):  # then there are none
                remove_leftovers()
                remove_leftover_booths()
            self._virtual_mic = opening.enter_context(VirtualMic()) if self._settings.virtual_mic else None
            self._heard = opening.enter_context(
                DeviceStream("input", self.capture_rate_hz, capture, name, self._opening)
            )
            self._played = opening.enter_context(
                DeviceStream("output", self.playback_rate_hz, playback, name, self._opening)
            )
            self._monitored = opening.enter_context(
                DeviceStream(
                    "output",
                    self._monitor_rate_hz,
                    self.monitor.playback,
                    f"{name}-monitor",
                    self._opening,
                    "monitor",
                )
            )
            self._watcher = opening.enter_context(DeviceWatcher(self._choose, self._has_gone))
            self._choose(self._watcher.devices)
            self._opened = opening.pop_all()

    def stop(self) -> None:
        """Close the streams."""
        self._opened.close()

    def can_follow(self, settings: EngineSettings) -> bool:
        """Whether `follow` is enough, or another pair is needed."""
        if settings.virtual_mic != self._settings.virtual_mic:
            return False
        if all(device.on_server for device in self._watcher.devices):
            return True
        return names(settings) == names(self._settings) and settings.found in (None, self._found)

    def follow(self, settings: EngineSettings) -> None:
        """Change to the devices that `settings` name."""
        self._settings = settings
        self._choose(self._watcher.devices)

    @property
    def _found(self) -> tuple[str | None, ...]:
        played = None if self._settings.virtual_mic else self._played.wanted
        wanted = (self._heard.wanted, played, self._monitored.wanted)
        return tuple(None if device is None else device.choice for device in wanted)

    def _choose(self, devices: list[DeviceInfo]) -> None:
        """Have the streams where the settings say, wherever the server moves or ALSA reopens them."""
        with self._choosing:
            output, output_problem = _attempt(self._choose_output, devices)
            microphone, problem = _attempt(self._choose_microphone, devices, output)
            self._heard.want(microphone, problem)
            self._played.want(output, output_problem)
            if self._settings.monitor is None:
                self._monitored.want(None)
            else:
                choice = self._settings.monitor
                self._monitored.want(*_attempt(_choose_monitor, devices, choice, microphone, output))

    def _has_gone(self, direction: Direction, index: int) -> None:
        for stream in [self._heard] if direction == "input" else [self._played, self._monitored]:
            stream.has_gone(index)

    def _choose_output(self, devices: list[DeviceInfo]) -> DeviceInfo:
        if self._virtual_mic is None:
            return _choose(devices, self._settings.output, "output")
        if not any(device.choice == self._virtual_mic.output for device in devices):
            self._virtual_mic.renew()  # the sound server was restarted, or somebody removed it
            devices = list_devices()
        return _choose(devices, self._virtual_mic.output, "output")

    def _choose_microphone(self, devices: list[DeviceInfo], output: DeviceInfo | None) -> DeviceInfo:
        try:
            microphone = _choose(devices, self._settings.microphone, "input")
        except DeviceError:
            now = self._heard.device
            if self._settings.microphone is not None or now is None or not _is_among(now, devices):
                raise
            microphone = now  # the default is none to follow
        if output is not None:
            refuse_loop(microphone, output)
        return microphone


def _choose_monitor(
    devices: Sequence[DeviceInfo], choice: str, microphone: DeviceInfo | None, output: DeviceInfo | None
) -> DeviceInfo:
    monitor = _choose(devices, choice, "output")
    if same_place(monitor, output):
        raise DeviceError(
            _(
                "{device} is the output already; choose another device to listen on.",
                device=monitor.description,
            )
        )
    if microphone is not None:
        refuse_feedback(microphone, monitor)
    return monitor


def _played(devices: Sequence[DeviceInfo], settings: EngineSettings) -> str | None:
    """The choice of what is played to, as far as it is there before a session starts."""
    cable = find_cable(devices) if settings.virtual_mic and not MADE_HERE else None
    return settings.output if cable is None else cable.output.choice


def names(settings: EngineSettings) -> tuple[str | None, ...]:
    """Of the devices."""
    return settings.microphone, settings.output, settings.monitor


def found(settings: EngineSettings, devices: Sequence[DeviceInfo]) -> tuple[str | None, ...]:
    """Of `devices`, those that `settings` name, as EngineSettings has them."""

    def find(choice: str | None, direction: Direction) -> str | None:
        device, _ = _attempt(choose_device, devices, choice, direction)
        return None if device is None else device.choice

    return (
        find(settings.microphone, "input"),
        None if settings.virtual_mic else find(settings.output, "output"),
        None if settings.monitor is None else find(settings.monitor, "output"),
    )


def check_devices(settings: EngineSettings) -> None:
    """Raises DeviceError when `settings` name devices that are not there now, or a loop."""
    devices = list_devices()
    microphone = _choose(devices, settings.microphone, "input")
    output = None if settings.virtual_mic else _choose(devices, settings.output, "output")
    if output is not None:
        refuse_loop(microphone, output)
    if settings.monitor is not None:
        _choose_monitor(devices, settings.monitor, microphone, output)


def _choose(devices: Sequence[DeviceInfo], choice: str | None, direction: Direction) -> DeviceInfo:
    if not devices:
        raise DeviceError(_(NO_DEVICES))
    return choose_device(devices, choice, direction)


def _is_among(device: DeviceInfo, devices: Sequence[DeviceInfo]) -> bool:
    return any(same_place(device, other) for other in devices)


def _attempt(choose: Callable[..., DeviceInfo], *arguments: object) -> tuple[DeviceInfo | None, str | None]:
    """What `choose` returns, or why it does not."""
    try:
        return choose(*arguments), None
    except MaskSRError as error:
        return None, str(error)


def _rate_hz(devices: Sequence[DeviceInfo], choice: str | None, direction: Direction) -> int:
    """The model's where the system converts to that: with less delay than a resampler here has."""
    device, _ = _attempt(choose_device, devices, choice, direction)
    return SAMPLE_RATE_HZ if device is None or device.on_server else device.rate_hz
