"""Plays a recorded sound to a device."""

import os
from threading import Event
from typing import Any

import soxr

from model.translation import _
from realtime.device_info import DeviceError, DeviceInfo
from realtime.devices import portaudio_in_use, routed
from realtime.ring import Samples

BLOCKS_PER_SECOND = 20


def play(sound: Samples, sample_rate_hz: int, device: DeviceInfo, stopping: Event) -> None:
    """Play float32 `sound`, mono; return at its end, or soon after `stopping` is set.

    Raises DeviceError.
    """
    if not device.on_server and device.rate_hz != sample_rate_hz:  # Windows does not convert it
        sound, sample_rate_hz = soxr.resample(sound, sample_rate_hz, device.rate_hz), device.rate_hz
    with portaudio_in_use() as sounddevice:
        try:
            with (
                routed(device, f"{os.getpid()}-playback", "playback") as index,
                sounddevice.OutputStream(sample_rate_hz, device=index, channels=1, dtype="float32") as stream,
            ):
                _write(sound, stream, sample_rate_hz // BLOCKS_PER_SECOND, stopping)
        except sounddevice.PortAudioError as error:
            raise DeviceError(
                _(
                    "{device} cannot play ({error}); choose another device.",
                    device=device.description,
                    error=error,
                )
            ) from error


def _write(sound: Samples, stream: Any, block_frames: int, stopping: Event) -> None:
    for start in range(0, len(sound), block_frames):
        if stopping.is_set():
            stream.abort()
            return
        stream.write(sound[start : start + block_frames])
