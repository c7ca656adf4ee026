"""The doctor finds what is missing and says what to do about it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from main import main
from realtime.checks import Finding
from realtime.doctor import examine
from realtime.virtual_mic import VirtualMic
from tests.models import load_inverter
from tests.pulse_server import PulseServer
from tests.serverless_machine import ALSA
from tests.test_virtual_mic import killed_while_open

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def findings(preset: str | None = None) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(preset, load_inverter)}


def test_where_all_is_well_it_tells_what_there_is() -> None:
    with PulseServer() as pulse:
        pulse.make_default("desk_mic", "speakers")
        found = findings()
    assert found["sound server"].says == "pulseaudio"
    assert (found["microphone"].says, found["speaker"].says) == ("Desk Microphone", "Speakers")
    assert (found["virtual microphone"].says, found["model"].says) == ("off", "preset inverted on CPU")
    assert found["speed"].says.endswith("% of the time there is")
    machine = {"permissions", "graphics card"}
    assert all(finding.ok for name, finding in found.items() if name not in machine)


def test_alsa_that_does_not_reach_the_sound_server_is_told(tmp_path: Path) -> None:
    plugins_missing = [line for line in ALSA.read_text().splitlines() if 'conf.d"' not in line]
    (tmp_path / "asoundrc").write_text("\n".join(plugins_missing))
    code = "from realtime.checks import examine_system\nfor found in examine_system(): print(found.says)"
    with PulseServer():
        environment = os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "asoundrc")}
        told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "alsa-plugins-pulseaudio (Fedora)" in told.stdout, told.stderr


def test_what_is_wrong_comes_with_what_to_do() -> None:
    with PulseServer() as pulse:
        pulse.kill()
        found = findings()
    assert not found["sound server"].ok
    assert "see whether PipeWire or PulseAudio is running" in found["sound server"].says
    assert found["PortAudio"].says.startswith("PortAudio needs the sound server; see to that first")
    assert found["model"].ok


def test_a_virtual_microphone_that_is_the_default_is_told() -> None:
    with PulseServer() as pulse, VirtualMic():
        pulse.make_default("masksr_live_microphone", "speakers")
        found = findings()
    assert "make the one to be restored the default" in found["virtual microphone"].says
    assert "name the one to restore" in found["microphone"].says


def test_a_virtual_microphone_that_a_killed_session_left_is_told(pulse: PulseServer) -> None:
    killed_while_open()
    says = findings()["virtual microphone"].says
    assert says == "left by a session that died; the next one removes it"


def test_a_portaudio_that_is_missing_comes_with_how_to_install_it(
    pulse: PulseServer, no_portaudio: None
) -> None:
    found = findings()
    assert not found["PortAudio"].ok
    assert "install it, on Debian with `apt install libportaudio2`" in found["PortAudio"].says
    assert found["microphone"].ok


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "masksr-live").touch()  # not even root writes into a file
    found = findings()["permissions"]
    assert not found.ok
    assert f"{tmp_path}/masksr-live cannot be written" in found.says
    assert "make it yours" in found.says


def test_a_user_whose_sound_may_not_come_first_is_told_how_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("resource.getrlimit", lambda limit: (0, 0))
    found = findings()["permissions"]
    assert not found.ok
    assert "add `@audio - rtprio 95` to /etc/security/limits.d/audio.conf" in found.says


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("config.json", "restore the file its bundle came with"),
        ("codec.safetensors", "copy or download it again"),
    ],
)
def test_a_bundle_that_is_broken_comes_with_what_to_do(
    name: str, remedy: str, tiny_bundle: Path, tiny_preset: Path, tmp_path: Path
) -> None:
    bundle, preset = tmp_path / "bundle", tmp_path / "broken.toml"
    shutil.copytree(tiny_bundle, bundle)
    preset.write_text(tiny_preset.read_text().replace(str(tiny_bundle), str(bundle)))
    (bundle / name).write_bytes((bundle / name).read_bytes()[:100])
    found = {finding.name: finding for finding in examine(str(preset))}
    assert not found["model"].ok
    assert str(bundle / name) in found["model"].says
    assert remedy in found["model"].says
    assert "speed" not in found


def test_the_command_fails_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with PulseServer():
        assert main(["doctor", "--preset", "nowhere.toml", "--json"]) == 1
    output = capsys.readouterr()
    found = {finding["name"]: finding for finding in json.loads(output.out)}
    assert not found["model"]["ok"]
    assert "There is no preset 'nowhere.toml'" in found["model"]["says"]
    assert "Not in order:" in output.err


def test_a_graphics_card_that_lies_idle_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    tool = tmp_path / "nvidia-smi"
    tool.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "cannot use the NVIDIA card; install" in findings()["graphics card"].says
    tool.unlink()
    assert findings()["graphics card"].says == "none, the processor restores"
