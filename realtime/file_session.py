"""A live session whose microphone and listener are files."""

from collections.abc import Callable
from pathlib import Path
from time import sleep

from model.errors import MaskSRError
from realtime.messages import Parameters, SessionReport
from realtime.mixer import Mixer
from realtime.model_host import ModelHost
from realtime.model_process import Load, ModelOrder
from realtime.paced_file import PacedFile
from realtime.pump import Pump
from realtime.report import make_report

POLL_SECONDS = 0.05


class ModelUnavailableError(MaskSRError):
    """There is no model to stream with."""


def stream_file(
    source: Path,
    target: Path,
    order: ModelOrder,
    load: Load,
    on_progress: Callable[[float], None],
    parameters: Parameters | None = None,
) -> SessionReport:
    """Stream `source` at real-time pace, as if it was spoken, into `target`, until its end or Ctrl-C.

    `on_progress` gets the share that is done, 0 to 1. Raises AudioFileError and ModelUnavailableError.
    """
    device = PacedFile(source, target)
    with ModelHost(order, load) as host:
        mixer = Mixer(host.noisy, host.restored, host.continuations)
        mixer.parameters = parameters or Parameters()
        _wait_for_model(host)
        mixer.delay = host.status.delay
        with Pump(device, host.noisy, mixer) as pump:
            try:
                while not device.finished.wait(POLL_SECONDS):
                    host.poll()
                    on_progress(min(1.0, pump.played_seconds / device.seconds))
            except KeyboardInterrupt:
                pass  # the way to end a session
            return make_report(host.status, mixer, pump)


def _wait_for_model(host: ModelHost) -> None:
    while host.status.state != "running":
        host.poll()
        if host.status.state == "refused":
            raise ModelUnavailableError(str(host.status.message))
        if host.failure is not None:
            raise ModelUnavailableError(f"The model cannot be used ({host.failure}); see what its bundle is.")
        sleep(POLL_SECONDS)
