"""Plays a recorded sound to a device."""

import os
from threading import Event

from realtime.device_info import DeviceError, DeviceInfo
from realtime.devices import portaudio, routed
from realtime.ring import Samples

BLOCKS_PER_SECOND = 20


def play(sound: Samples, sample_rate_hz: int, device: DeviceInfo, stopping: Event) -> None:
    """Play float32 `sound`, mono; return at its end, or soon after `stopping` is set.

    Raises DeviceError.
    """
    sounddevice = portaudio()
    try:
        with (
            routed(device, f"{os.getpid()}-playback") as index,
            sounddevice.OutputStream(sample_rate_hz, device=index, channels=1, dtype="float32") as stream,
        ):
            block_frames = sample_rate_hz // BLOCKS_PER_SECOND
            for start in range(0, len(sound), block_frames):
                if stopping.is_set():
                    stream.abort()
                    return
                stream.write(sound[start : start + block_frames])
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"{device.description} cannot play ({error}); choose another device.") from error
