"""A browser lists the virtual microphone, as it does no monitor, and records what is played into it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np
import pytest

from realtime.virtual_mic import MICROPHONE, VirtualMic
from tests.pulse_server import PATIENCE_SECONDS, PulseServer, running

pytestmark = pytest.mark.live

TONE_HZ = 1000

CHROMIUM = [
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",  # grants the page what it asks for; the devices are real
]

# Tells every microphone by its label, then a good half second of the one wanted, once it is not silent.
PAGE = """
<script>
const tell = result => fetch("/", {method: "POST", body: JSON.stringify(result)});
async function listen() {
    await navigator.mediaDevices.getUserMedia({audio: true});
    const devices = await navigator.mediaDevices.enumerateDevices();
    const microphones = devices.filter(device => device.kind === "audioinput");
    const wanted = microphones.find(device => device.label === "MICROPHONE");
    const labels = microphones.map(device => device.label);
    if (!wanted) return tell({labels, sound: []});
    const untouched = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
    const audio = {deviceId: {exact: wanted.deviceId}, ...untouched};
    const context = new AudioContext();
    const recorder = new AnalyserNode(context, {fftSize: 32768});
    context.createMediaStreamSource(await navigator.mediaDevices.getUserMedia({audio})).connect(recorder);
    const sound = new Float32Array(recorder.fftSize);
    while (!sound[0]) {
        await new Promise(resolve => setTimeout(resolve, 100));
        recorder.getFloatTimeDomainData(sound);
    }
    tell({labels, rate_hz: context.sampleRate, sound: Array.from(sound)});
}
listen().catch(error => tell({error: String(error)}));
</script>
"""


@contextmanager
def page_served() -> Iterator[tuple[str, "Queue[dict[str, Any]]"]]:
    """Yields the address of the page and what it tells."""
    told: Queue[dict[str, Any]] = Queue()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.replace("MICROPHONE", MICROPHONE).encode())

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", told
        finally:
            server.shutdown()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_chromium_lists_and_records_it(tmp_path: Path) -> None:
    with (
        PulseServer() as pulse,
        VirtualMic() as microphone,
        pulse.tone(microphone.output, TONE_HZ),
        page_served() as (address, told),
        running([*CHROMIUM, address], env=os.environ | {"HOME": str(tmp_path)}, stderr=subprocess.DEVNULL),
    ):
        result = told.get(timeout=PATIENCE_SECONDS)
    assert MICROPHONE in result["labels"], result
    assert not any("Monitor" in label for label in result["labels"])
    spectrum = np.abs(np.fft.rfft(np.asarray(result["sound"]) * np.hanning(len(result["sound"]))))
    loudest_hz = np.argmax(spectrum) * result["rate_hz"] / len(result["sound"])
    assert loudest_hz == pytest.approx(TONE_HZ, abs=20)
