"""A live session between files restores at their pace, keeps its delay and says what happened."""

import json
import signal
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.errors import AudioFileError
from realtime.file_session import ModelUnavailableError, stream_file
from realtime.messages import Parameters
from realtime.model_process import ModelOrder
from realtime.ring import Samples
from tests.models import PLAN, load_inverter, load_pass_through, load_refused
from tests.signals import noise, tone
from tests.witness import witness


def write(path: Path, sound: Samples, rate_hz: int = 44_100) -> Path:
    soundfile.write(path, sound, rate_hz, subtype="FLOAT")
    return path


def read(path: Path) -> Samples:
    sound: Samples = soundfile.read(path, dtype="float32")[0]
    return sound


def ignore(share: float) -> None:
    pass


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_file_is_restored_whole_and_aligned(tmp_path: Path, rate_hz: int) -> None:
    sound = tone(rate_hz, rate_hz)
    write(tmp_path / "in.wav", sound, rate_hz)
    stream_file(tmp_path / "in.wav", tmp_path / "out.wav", ModelOrder(), load_pass_through, ignore)
    out, middle = read(tmp_path / "out.wav"), slice(rate_hz // 8, -rate_hz // 8)
    assert len(out) == len(sound)
    one_frame = np.abs(np.diff(sound)).max()  # rates of different frames: aligned to the nearest one
    np.testing.assert_allclose(out[middle], sound[middle], atol=1e-3 if rate_hz == 44_100 else one_frame)


def test_the_report_tells_where_the_delay_comes_from(tmp_path: Path) -> None:
    write(tmp_path / "in.wav", noise(30_000))
    report = stream_file(tmp_path / "in.wav", tmp_path / "out.wav", ModelOrder(), load_inverter, ignore)
    assert report.latency.capture_ms == pytest.approx(10.0)
    assert report.latency.algorithm_ms == pytest.approx(PLAN.latency_samples / 44.1)
    assert 10.0 < report.latency.compute_ms <= PLAN.hop_samples / 44.1 + 40.0
    assert report.hops > 10
    assert report.passes_per_hop == 2
    assert 0.0 < report.real_time_factor_p50 <= report.real_time_factor_p95
    assert report.seconds >= 30_000 / 44_100
    assert json.loads(json.dumps(asdict(report)))["latency"]["capture_ms"] == pytest.approx(10.0)


def test_a_session_that_is_in_time_reports_no_dropout(tmp_path: Path) -> None:
    write(tmp_path / "in.wav", noise(30_000))
    with witness() as machine:
        report = stream_file(tmp_path / "in.wav", tmp_path / "out.wav", ModelOrder(), load_inverter, ignore)
    assert (report.late_hops, report.dropouts) == (0, 0) or machine.saw_starving


def test_bypass_records_the_source_itself(tmp_path: Path) -> None:
    sound = noise(20_000)
    write(tmp_path / "in.wav", sound)
    bypass = Parameters(bypass=True)
    stream_file(tmp_path / "in.wav", tmp_path / "out.wav", ModelOrder(), load_inverter, ignore, bypass)
    np.testing.assert_allclose(read(tmp_path / "out.wav"), sound, atol=2**-23)


def test_an_interrupt_ends_the_session_and_keeps_what_was_recorded(tmp_path: Path) -> None:
    def interrupt(share: float) -> None:
        if share > 0.02:
            signal.raise_signal(signal.SIGINT)

    sound = tone(30 * 44_100)
    write(tmp_path / "in.wav", sound)
    report = stream_file(
        tmp_path / "in.wav", tmp_path / "out.wav", ModelOrder(), load_pass_through, interrupt
    )
    out = read(tmp_path / "out.wav")
    assert 0.4 < report.seconds < 25.0
    assert 0 < len(out) < 25 * 44_100
    np.testing.assert_allclose(out, sound[: len(out)], atol=1e-3)


def test_a_model_that_cannot_be_loaded_is_reported_and_nothing_is_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "in.wav", noise(4_000))
    (tmp_path / "out.wav").write_bytes(b"precious")
    with pytest.raises(ModelUnavailableError, match="choose another"):
        stream_file(tmp_path / "in.wav", tmp_path / "out.wav", ModelOrder(), load_refused, ignore)
    assert (tmp_path / "out.wav").read_bytes() == b"precious"


def test_a_source_that_breaks_off_is_reported_and_nothing_is_overwritten(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.flac", noise(40_000), 44_100)
    contents = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "in.flac").write_bytes(contents[: len(contents) // 3])
    (tmp_path / "out.wav").write_bytes(b"precious")
    with pytest.raises(AudioFileError, match="is damaged"):
        stream_file(tmp_path / "in.flac", tmp_path / "out.wav", ModelOrder(), load_pass_through, ignore)
    assert (tmp_path / "out.wav").read_bytes() == b"precious"
