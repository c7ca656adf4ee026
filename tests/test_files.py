"""Files and folders are restored whole, aligned and in one step, or refused with a sentence."""

import resource
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.errors import AudioFileError
from model.plan import WindowPlan
from realtime.audio_file import FORMATS
from realtime.files import FileReport, restore_file, restore_folder
from realtime.passthrough import PassThrough
from realtime.processor import StreamProcessor
from realtime.ring import Samples
from tests.signals import noise, tone

PLAN = WindowPlan(context_frames=3, hop_frames=4, lookahead_frames=2, fade_samples=512)


class Inverter(PassThrough):
    """Turns the sound upside down, to tell restored from untouched."""

    def restore_window(self, noisy: Samples) -> Samples:
        return -super().restore_window(noisy)


class Broken(PassThrough):
    def restore_window(self, noisy: Samples) -> Samples:
        raise RuntimeError("out of memory")


def inverter() -> Inverter:
    return Inverter(PLAN)


def quiet(source: Path, done: float) -> None:
    assert 0.0 <= done <= 1.0


def restore(source: Path, target: Path) -> FileReport:
    return restore_file(source, target, inverter, quiet)


def write(path: Path, sound: Samples, rate_hz: int = 44_100, subtype: str = "FLOAT") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate_hz, subtype=subtype)
    return path


def read(path: Path) -> Samples:
    sound: Samples = soundfile.read(path, dtype="float32")[0]
    return sound


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_result_is_aligned_and_of_the_same_length(tmp_path: Path, rate_hz: int, channels: int) -> None:
    sound = np.stack([tone(rate_hz, rate_hz, hz) for hz in (200.0, 330.0)[:channels]], axis=1)
    source = write(tmp_path / "in.wav", sound, rate_hz)
    report = restore(source, tmp_path / "out.wav")
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.frames, info.channels) == (rate_hz, rate_hz, channels)
    middle = slice(rate_hz // 8, -rate_hz // 8)
    np.testing.assert_allclose(
        read(tmp_path / "out.wav").reshape(sound.shape)[middle], -sound[middle], atol=1e-3
    )
    assert (report.seconds, report.dry_hops, report.last_error) == (1.0, 0, None)


@pytest.mark.parametrize(
    ("rate_hz", "suffix", "out_hz"),
    [
        *[(8_000, ".wav", 44_100), (22_050, ".wav", 44_100), (384_000, ".wav", 192_000)],
        *[(44_100, ".opus", 48_000), (16_000, ".opus", 48_000), (96_000, ".mp3", 48_000)],
    ],
)
def test_rates_outside_those_of_stream_and_format_are_converted(
    tmp_path: Path, rate_hz: int, suffix: str, out_hz: int
) -> None:
    source, target = write(tmp_path / "in.wav", tone(rate_hz, rate_hz), rate_hz), tmp_path / f"out{suffix}"
    restore(source, target)
    assert soundfile.info(target).samplerate == out_hz
    out, middle = read(target), slice(out_hz // 8, -out_hz // 8)
    assert len(out) == out_hz
    exact = 2e-3 if suffix == ".wav" else 5e-2
    np.testing.assert_allclose(out[middle], -tone(out_hz, out_hz)[middle], atol=exact)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_file_comes_out_as_it_would_live(tmp_path: Path, rate_hz: int) -> None:
    sound = noise(rate_hz)
    restore(write(tmp_path / "in.wav", sound, rate_hz), tmp_path / "out.wav")
    live = StreamProcessor(inverter())
    live.prepare(rate_hz, 441)
    fed = np.concatenate([sound, np.zeros(live.latency_frames, np.float32)])
    out = np.concatenate([live.process(fed[start : start + 441]) for start in range(0, len(fed), 441)])
    np.testing.assert_allclose(read(tmp_path / "out.wav"), out[live.latency_frames :], rtol=0, atol=2**-23)


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_every_offered_format_is_written_and_read_again(tmp_path: Path, suffix: str) -> None:
    rate_hz = 48_000
    restore(write(tmp_path / "in.wav", tone(rate_hz, rate_hz), rate_hz), tmp_path / f"out{suffix}")
    restore(tmp_path / f"out{suffix}", tmp_path / "again.wav")
    again = read(tmp_path / "again.wav")
    assert abs(len(again) - rate_hz) < rate_hz // 20
    middle = again[rate_hz // 4 :][: rate_hz // 2]  # half a second: spectrum bins 2 Hz apart
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 100
    assert np.std(middle) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", np.tile(tone(44_100), 40), subtype="PCM_16")
    tracemalloc.start()
    restore(source, tmp_path / "out.wav")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 < 40 * 44_100


@pytest.mark.parametrize("sound", [np.zeros(9_000), np.full(9_000, np.nan)], ids=["silent", "NaN"])
def test_silence_in_silence_out(tmp_path: Path, sound: Samples) -> None:
    restore(write(tmp_path / "in.wav", sound.astype(np.float32)), tmp_path / "out.wav")
    np.testing.assert_array_equal(read(tmp_path / "out.wav"), np.zeros(9_000, np.float32))


def test_a_single_sample_stays_one(tmp_path: Path) -> None:
    restore(write(tmp_path / "in.wav", np.full(1, 0.5, np.float32)), tmp_path / "out.wav")
    np.testing.assert_allclose(read(tmp_path / "out.wav"), [-0.5], atol=1e-6)


def test_sound_clipped_to_the_rails_stays_within_them(tmp_path: Path) -> None:
    rails = np.sign(tone(20_000, 48_000))
    restore(write(tmp_path / "in.wav", rails, 48_000), tmp_path / "out.wav")
    out = read(tmp_path / "out.wav")
    assert len(out) == 20_000
    assert 0.9 < np.abs(out).max() <= 1.0


def bad_file(folder: Path, kind: str) -> Path:
    good = write(folder / "good.flac", noise(60_000), subtype="PCM_16").read_bytes()
    contents = {
        "no audio at all": b"",
        "text": b"this is not audio" * 100,
        "truncated": good[: len(good) // 2],
        "corrupt": good[:60_000] + bytes(9_000) + good[69_000:],
    }
    path = folder / f"{kind}.flac"
    path.write_bytes(contents[kind])
    return path


@pytest.mark.parametrize("kind", ["no audio at all", "text", "truncated", "corrupt"])
def test_damaged_files_are_refused_and_nothing_is_touched(tmp_path: Path, kind: str) -> None:
    source, target = bad_file(tmp_path / "in", kind), tmp_path / "out" / "out.wav"
    target.parent.mkdir()
    target.write_bytes(b"precious")
    with pytest.raises(AudioFileError, match="is damaged"):
        restore(source, target)
    assert target.read_bytes() == b"precious"
    assert names(target.parent) == ["out.wav"]


def test_a_truncated_wav_is_restored_as_far_as_it_goes(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", tone(40_000), subtype="PCM_16")
    source.write_bytes(source.read_bytes()[:40_044])
    restore(source, tmp_path / "out.wav")
    np.testing.assert_allclose(read(tmp_path / "out.wav"), -tone(20_000), atol=1e-4)


def test_a_flac_file_that_does_not_say_its_length_is_restored_whole(tmp_path: Path) -> None:
    source = write(tmp_path / "in.flac", tone(20_000), subtype="PCM_16")
    head = bytearray(source.read_bytes())
    head[21] &= 0xF0  # of the 36 bits that tell the number of samples: RFC 9639, 8.2
    head[22:26] = bytes(4)
    source.write_bytes(head)
    shares: list[float] = []
    restore_file(source, tmp_path / "out.wav", inverter, lambda _, done: shares.append(done))
    np.testing.assert_allclose(read(tmp_path / "out.wav"), -tone(20_000), atol=1e-3)
    assert set(shares) == {0.0, 1.0}


@pytest.mark.parametrize("missing_bytes", [1, 30_000])
@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg", ".wav"])
def test_a_place_that_is_full_costs_nothing(tmp_path: Path, suffix: str, missing_bytes: int) -> None:
    source, target = write(tmp_path / "in.wav", noise(90_000)), tmp_path / f"out{suffix}"
    restore(source, target)
    size = target.stat().st_size
    target.write_bytes(b"precious")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - missing_bytes, before[1]))
    try:
        with pytest.raises(AudioFileError, match=r"could not be written .* check the place"):
            restore(source, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert target.read_bytes() == b"precious"
    assert names(tmp_path) == ["in.wav", target.name]


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="holds no audio"):
        restore(write(tmp_path / "in.wav", np.zeros(0, np.float32)), tmp_path / "out.wav")
    assert names(tmp_path) == ["in.wav"]


def test_many_channels_are_refused_with_the_way_out(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", np.zeros((100, 8), np.float32))
    with pytest.raises(AudioFileError, match=r"8 channels; mix it down .* -ac 2"):
        restore(source, tmp_path / "out.wav")


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("gone.wav", "out.wav", "not there"),
        ("gone", "out", "not there"),
        ("in.wav", "out.txt", "use one of .*wav"),
        ("in.wav", "out", "use one of .*wav"),
        ("in.wav", "folder.wav", "is a folder"),
        ("in.wav", "in.wav/out.wav", "could not be written"),
    ],
)
def test_impossible_requests_are_refused(tmp_path: Path, source: str, target: str, message: str) -> None:
    write(tmp_path / "in.wav", noise(5_000))
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioFileError, match=message):
        restore(tmp_path / source, tmp_path / target)
    assert names(tmp_path) == ["in.wav"]


def test_a_file_the_model_never_restored_is_not_passed_off_as_restored(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(9_000))
    with pytest.raises(AudioFileError, match="out of memory"):
        restore_file(source, tmp_path / "out.wav", lambda: Broken(PLAN), quiet)
    assert names(tmp_path) == ["in.wav"]


def test_a_file_may_replace_itself(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", tone(9_000))
    restore(source, source)
    np.testing.assert_allclose(read(source), -tone(9_000), atol=1e-6)
    assert names(tmp_path) == ["in.wav"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_an_interruption_leaves_everything_as_it_was(
    tmp_path: Path, interruption: type[BaseException]
) -> None:
    def interrupt(source: Path, done: float) -> None:
        if done > 0.5:
            raise interruption

    source, target = write(tmp_path / "in.wav", noise(40_000)), tmp_path / "out.wav"
    target.write_bytes(b"precious")
    with pytest.raises(interruption):
        restore_file(source, target, inverter, interrupt)
    assert target.read_bytes() == b"precious"
    assert names(tmp_path) == ["in.wav", "out.wav"]


def test_progress_ends_at_one(tmp_path: Path) -> None:
    shares: list[float] = []
    source = write(tmp_path / "in.wav", noise(40_000))
    restore_file(source, tmp_path / "out.wav", inverter, lambda _, done: shares.append(done))
    assert shares == sorted(shares)
    assert len(shares) > 5
    assert shares[-1] == 1.0


def test_a_folder_keeps_its_shape_resumes_and_goes_on_after_errors(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "in" / "restored"
    write(source / "a.wav", tone(9_000))
    write(source / "deep" / "er" / "b.flac", tone(9_000), subtype="PCM_16")
    (source / "notes.txt").write_text("not audio")
    (source / "bad.wav").write_bytes(b"not audio either")

    first = restore_folder(source, target, inverter, quiet)
    assert names(target) == ["a.wav", "deep/er/b.flac"]
    assert len(first.restored) == 2
    assert list(first.failed) == [source / "bad.wav"]
    assert "damaged or not audio" in first.failed[source / "bad.wav"]

    (target / "a.wav").write_bytes(b"kept, because it exists")
    (target / "deep" / "er" / "b.flac").unlink()
    second = restore_folder(source, target, inverter, quiet)
    assert (target / "a.wav").read_bytes() == b"kept, because it exists"
    assert second.skipped == [target / "a.wav"]
    assert [report.target for report in second.restored] == [target / "deep" / "er" / "b.flac"]
    np.testing.assert_allclose(read(target / "deep" / "er" / "b.flac"), -tone(9_000), atol=1e-4)


def test_folders_with_nothing_to_do_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="holds no audio files"):
        restore_folder(tmp_path, tmp_path / "out", inverter, quiet)
    write(tmp_path / "a.wav", tone(100))
    with pytest.raises(AudioFileError, match="another folder"):
        restore_folder(tmp_path, tmp_path / "." / "", inverter, quiet)
