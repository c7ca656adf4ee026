"""A machine without a sound server, as those with macOS and Windows are: PortAudio lists what ALSA has."""

from pathlib import Path

import pytest

ALSA = Path("/usr/share/alsa/alsa.conf")


class Serverless:
    """Has the devices last given to `plug`; a program has to believe by itself that there is no server."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._alsa = folder / "asoundrc"
        monkeypatch.setenv("ALSA_CONFIG_PATH", f"{ALSA}:{self._alsa}")

    def plug(self, **devices: str) -> None:
        """Each device's sound is that of one which the tests' sound server has."""
        self._alsa.write_text("".join(_alsa_device(*device) for device in devices.items()))


def _alsa_device(name: str, device: str) -> str:
    direction = "capture" if device.endswith("mic") else "playback"
    return f"pcm.{name} {{ type asym {direction}.pcm {{ type pulse device {device} }} }}\n"
