"""The process that has the devices: sound goes on in it whatever the model and the window do."""

from multiprocessing import parent_process
from time import sleep

from model.errors import MaskSRError
from model.translation import _
from realtime.device_info import DeviceInfo
from realtime.device_pair import DevicePair, names
from realtime.mailbox import Mailbox
from realtime.messages import EngineSettings, EngineStatus, Parameters, State
from realtime.mixer import Mixer
from realtime.model_host import ModelHost
from realtime.model_process import Load, ModelOrder, ModelStatus
from realtime.processes import end_past_stuck_threads, lasting, settle_in
from realtime.pump import Pump
from realtime.report import make_report
from realtime.signal_tap import SignalTap

NICENESS = -10
TURN_SECONDS = 0.02
RETRY_SECONDS = 1.0


def run_audio(
    load: Load, settings: Mailbox[EngineSettings | None], statuses: Mailbox[EngineStatus], tap: SignalTap
) -> None:
    """Restore sound from device to device as the newest settings say, until they are None."""
    settle_in(NICENESS)
    first = settings.get()
    if first is None:
        return
    with ModelHost(_order(first), load) as host:
        _Session(host, first.parameters, settings, statuses, tap).run()
    statuses.put(EngineStatus("stopped"))
    end_past_stuck_threads()


class _Session:
    def __init__(
        self,
        host: ModelHost,
        parameters: Parameters,
        settings: Mailbox[EngineSettings | None],
        statuses: Mailbox[EngineStatus],
        tap: SignalTap,
    ) -> None:
        self._host, self._settings, self._statuses, self._tap = host, settings, statuses, tap
        self._mixer = Mixer(host.noisy, host.restored, host.continuations, parameters)
        self._mixer.is_awaiting = False
        self._problem: str | None = None

    def run(self) -> None:
        """Until the settings are None or the process that gave them ends."""
        while (settings := self._wanted()) is not None:
            try:
                self._play(settings)
            except MaskSRError as error:
                self._problem = str(error)
                self._turn(settings, None, None)
                sleep(RETRY_SECONDS)

    def _wanted(self) -> EngineSettings | None:
        parent = parent_process()
        return self._settings.get() if parent is not None and parent.is_alive() else None

    def _play(self, settings: EngineSettings) -> None:
        """Restore on the devices of `settings` until none, or such as need another pair, are wanted."""
        with lasting():
            pair = DevicePair(settings)
        with Pump(pair, self._host.noisy, self._mixer, self._tap, pair.monitor) as pump:
            while (wanted := self._wanted()) is not None:
                if _devices(wanted) != _devices(settings):
                    if not pair.can_follow(wanted):
                        return
                    settings = wanted
                    pair.follow(settings)
                self._problem = pair.problem
                self._turn(wanted, pair, pump)
                sleep(TURN_SECONDS)

    def _turn(self, settings: EngineSettings, pair: DevicePair | None, pump: Pump | None) -> None:
        self._host.order = _order(settings)
        self._host.poll()
        model = self._host.status
        self._mixer.parameters = settings.parameters
        if model.state == "running":
            self._mixer.delay = model.delay
        self._mixer.is_awaiting = model.state == "running"
        self._statuses.put(self._status(model, pair, pump))

    def _status(self, model: ModelStatus, pair: DevicePair | None, pump: Pump | None) -> EngineStatus:
        state, message = _judge(model, self._host.failure)
        if self._problem is not None:
            state, message = "recovering", self._problem
        return EngineStatus(
            state=state,
            progress=model.progress,
            message=message,
            microphone=_describe(pair.microphone) if pair else None,
            output=_describe(pair.speaker) if pair else None,
            preset=model.preset,
            device=model.device,
            report=None if pump is None else make_report(model, self._mixer, pump),
            rung=model.rung,
            passes_now=model.passes_now,
            passes_wanted=model.passes_wanted,
        )


def _judge(model: ModelStatus, failure: str | None) -> tuple[State, str | None]:
    """What the state of the model means for the user."""
    if model.state == "refused":
        return "dry", model.message
    if failure is not None:
        return "dry", _(
            "The model stopped ({failure}); you are heard unrestored until it is back by itself.",
            failure=failure,
        )
    if model.is_failing:
        return "dry", _(
            "The model fails ({problem}); you are heard unrestored until it works again.",
            problem=model.message,
        )
    return ("running" if model.state == "running" else "loading"), model.notice


def _describe(device: DeviceInfo | None) -> str | None:
    return None if device is None else device.description


def _order(settings: EngineSettings) -> ModelOrder:
    return ModelOrder(settings.preset, settings.passes, settings.lookahead_frames)


def _devices(settings: EngineSettings) -> tuple[object, ...]:
    return *names(settings), settings.virtual_mic, settings.found
