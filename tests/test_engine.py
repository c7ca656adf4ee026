"""A live session restores in real time, keeps its delay, ends cleanly and says what happened."""

import json
import signal
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.errors import AudioFileError
from model.plan import WindowPlan
from realtime.engine import LiveSession
from realtime.messages import Parameters, SessionReport
from realtime.paced_file import PacedFile
from realtime.passthrough import PassThrough
from realtime.ring import Samples
from tests.signals import noise, tone

PLAN = WindowPlan(context_frames=3, hop_frames=4, lookahead_frames=2, fade_samples=512)


class Inverter(PassThrough):
    """Turns the sound upside down, to tell restored from untouched."""

    passes = 2

    def restore_window(self, noisy: Samples) -> Samples:
        return -super().restore_window(noisy)


class Faulty(PassThrough):
    """Breaks, as only a mistake in the program does, once the warm-up is over."""

    hops = 0

    def restore_window(self, noisy: Samples) -> Samples:
        self.hops += 1
        if self.hops > 8:
            raise KeyError("a mistake")
        return super().restore_window(noisy)


def write(path: Path, sound: Samples, rate_hz: int = 44_100) -> Path:
    soundfile.write(path, sound, rate_hz, subtype="FLOAT")
    return path


def read(path: Path) -> Samples:
    sound: Samples = soundfile.read(path, dtype="float32")[0]
    return sound


def ignore(report: SessionReport) -> None:
    pass


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_paced_file_is_recorded_whole_and_aligned(tmp_path: Path, rate_hz: int) -> None:
    sound = tone(rate_hz, rate_hz)
    device = PacedFile(write(tmp_path / "in.wav", sound, rate_hz), tmp_path / "out.wav")
    with LiveSession(PassThrough(PLAN), device) as session:
        session.run(ignore)
    out, middle = read(tmp_path / "out.wav"), slice(rate_hz // 8, -rate_hz // 8)
    assert len(out) == len(sound)
    np.testing.assert_allclose(out[middle], sound[middle], atol=1e-3)


def test_the_report_tells_where_the_delay_comes_from(tmp_path: Path) -> None:
    device = PacedFile(write(tmp_path / "in.wav", noise(30_000)), tmp_path / "out.wav")
    with LiveSession(Inverter(PLAN), device) as session:
        report = session.run(ignore)
    latency = report.latency
    assert latency.capture_ms == 10.0
    assert latency.algorithm_ms == pytest.approx(PLAN.latency_samples / 44.1)
    assert 10.0 < latency.compute_ms <= PLAN.hop_samples / 44.1 + 20.0
    assert report.hops > 10
    assert report.passes_per_hop == 2
    assert 0.0 < report.real_time_factor_p50 <= report.real_time_factor_p95
    assert report.seconds >= 30_000 / 44_100
    assert json.loads(json.dumps(asdict(report)))["latency"]["capture_ms"] == 10.0


def test_bypass_records_the_source_itself(tmp_path: Path) -> None:
    sound = noise(20_000)
    device = PacedFile(write(tmp_path / "in.wav", sound), tmp_path / "out.wav")
    session = LiveSession(Inverter(PLAN), device)
    session.parameters = Parameters(bypass=True)
    with session:
        session.run(ignore)
    np.testing.assert_allclose(read(tmp_path / "out.wav"), sound, atol=2**-23)


def test_an_interrupt_ends_the_session_and_keeps_what_was_recorded(tmp_path: Path) -> None:
    def interrupt(report: SessionReport) -> None:
        if report.seconds > 0.4:
            signal.raise_signal(signal.SIGINT)

    sound = tone(30 * 44_100)
    device = PacedFile(write(tmp_path / "in.wav", sound), tmp_path / "out.wav")
    with LiveSession(PassThrough(PLAN), device) as session:
        report = session.run(interrupt)
    out = read(tmp_path / "out.wav")
    assert 0.4 < report.seconds < 25.0
    assert 0 < len(out) < 25 * 44_100
    np.testing.assert_allclose(out, sound[: len(out)], atol=1e-3)


def test_a_mistake_on_the_worker_is_raised_and_everything_stops(tmp_path: Path) -> None:
    device = PacedFile(write(tmp_path / "in.wav", noise(30 * 44_100)), tmp_path / "out.wav")
    with pytest.raises(KeyError, match="a mistake"), LiveSession(Faulty(PLAN), device) as session:
        session.run(ignore)
    assert device.finished.is_set()


def test_a_source_that_breaks_off_is_reported_and_nothing_is_overwritten(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.flac", noise(40_000), 44_100)
    contents = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "in.flac").write_bytes(contents[: len(contents) // 3])
    (tmp_path / "out.wav").write_bytes(b"precious")
    device = PacedFile(tmp_path / "in.flac", tmp_path / "out.wav")
    with pytest.raises(AudioFileError, match="is damaged"), LiveSession(PassThrough(PLAN), device) as session:
        session.run(ignore)
    assert (tmp_path / "out.wav").read_bytes() == b"precious"
