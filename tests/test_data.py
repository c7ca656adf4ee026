"""Recordings become a data set, and the data set windows of one voice at a time, the same for one seed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from model.arrays import FloatArray
from model.data import Corpus, prepare
from model.errors import DataError
from model.plan import SAMPLE_RATE_HZ
from tests.recordings import prepared
from tests.signals import noise, tone
from tests.voice import voice

WINDOW = 32_768
SECOND = SAMPLE_RATE_HZ


def window(corpus: Corpus, seed: int, length: int = WINDOW) -> FloatArray:
    return corpus.speech_window(length, np.random.default_rng(seed))


def prepare_quietly(source: Path, output: Path) -> Corpus:
    prepare(source, output, lambda done, total: None)
    return Corpus(output)


def syllables(samples: int, hz: float) -> FloatArray:
    """A tone that swells and ebbs, with a breath of all frequencies: what counts as full-band speech."""
    swell = 0.55 + 0.45 * np.cos(2 * np.pi * 10 * np.arange(samples) / SECOND)
    sound: FloatArray = (swell * (2.0 * tone(samples, hz=hz) + 0.02 * noise(samples))).astype(np.float32)
    return sound


def tones(folder: Path, files: dict[str, float], seconds: float = 2.0) -> Path:
    """Files of one pitch each, by name and frequency."""
    for name, hz in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, syllables(round(seconds * SECOND), hz), SECOND)
    return folder


def loudest_hz(audio: FloatArray) -> float:
    return float(np.abs(np.fft.rfft(audio)).argmax() * SECOND / len(audio))


def test_speech_and_noise_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    corpus = Corpus(prepared(tmp_path))
    assert [clip.group for clip in corpus.speech] == ["anna", "ben"]
    assert all(clip.length == pytest.approx(3 * SECOND, rel=0.1) for clip in corpus.speech)
    assert [(clip.group, clip.length) for clip in corpus.noise] == [("noise", 2 * SECOND)]


def test_clips_hold_the_samples_of_the_recordings(tmp_path: Path) -> None:
    corpus = Corpus(prepared(tmp_path))
    clip = corpus.samples(corpus.speech[0])
    levelled = voice(3.0)[: len(clip)] * 0.7 / 0.3
    np.testing.assert_allclose(clip, levelled, atol=1e-4)
    np.testing.assert_allclose(corpus.samples(corpus.noise[0]), noise(2 * SECOND), atol=1e-4)


def test_progress_counts_the_files(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    prepared(tmp_path, lambda done, total: heard.append((done, total)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_other_rates_and_channels_become_44_1_khz_mono(tmp_path: Path) -> None:
    (tmp_path / "carl").mkdir()
    left = syllables(48_000, 500.0 * SECOND / 48_000)
    soundfile.write(tmp_path / "carl" / "c.wav", np.stack([left, 0 * left], axis=1), 48_000)
    corpus = prepare_quietly(tmp_path, tmp_path / "data")
    samples = corpus.samples(corpus.speech[0])
    assert len(samples) == SECOND
    assert loudest_hz(samples) == pytest.approx(500.0, abs=2)
    assert np.abs(samples).max() == pytest.approx(0.7, abs=0.01)


def test_preparing_again_replaces_the_data_set(tmp_path: Path) -> None:
    prepared(tmp_path)
    prepare_quietly(tones(tmp_path / "other", {"dora/d.wav": 300.0}), tmp_path / "data")
    assert [clip.group for clip in Corpus(tmp_path / "data").speech] == ["dora"]


def test_a_folder_without_recordings_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match="no recordings found; name a folder that holds"):
        prepare_quietly(tmp_path, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_folder_without_a_data_set_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"holds no data set; make one with: python main.py data prepare SOURCE"
    ):
        Corpus(tmp_path)


def test_windows_are_reproducible(tmp_path: Path) -> None:
    corpus, again = Corpus(prepared(tmp_path)), Corpus(tmp_path / "data")
    np.testing.assert_array_equal(window(corpus, 3), window(again, 3))
    assert not np.array_equal(window(corpus, 3), window(corpus, 4))
    one, other = (each.babble(5000, np.random.default_rng(1)) for each in (corpus, again))
    np.testing.assert_array_equal(one, other)


def test_drawing_windows_leaves_the_data_as_it_is(tmp_path: Path) -> None:
    corpus = Corpus(prepared(tmp_path))
    before = corpus.samples(corpus.speech[0])
    window(corpus, 0)
    np.testing.assert_array_equal(corpus.samples(corpus.speech[0]), before)


@pytest.mark.parametrize("length", [512, WINDOW, 20 * SECOND])
def test_windows_have_any_length_asked_for(tmp_path: Path, length: int) -> None:
    audio = window(Corpus(prepared(tmp_path)), 0, length)
    assert audio.shape == (length,)
    assert audio.dtype == np.float32


def test_a_window_is_of_one_voice(tmp_path: Path) -> None:
    files = {f"speaker{i}/{clip}.wav": 300.0 * (i + 1) for i in range(4) for clip in "ab"}
    corpus = prepare_quietly(tones(tmp_path / "recordings", files, seconds=0.3), tmp_path / "data")
    voices = set()
    for seed in range(30):
        spectrum = np.abs(np.fft.rfft(window(corpus, seed, 3 * SECOND)))
        levels = [spectrum[round(3 * 300 * (i + 1))] for i in range(4)]
        assert sorted(levels)[-2] < 0.05 * max(levels)
        voices.add(int(np.argmax(levels)))
    assert voices == {0, 1, 2, 3}


def test_clips_of_a_window_are_joined_with_pauses_and_without_clicks(tmp_path: Path) -> None:
    corpus = prepare_quietly(
        tones(tmp_path / "recordings", {"a/a.wav": 201.5}, seconds=0.5), tmp_path / "data"
    )
    audio = window(corpus, 0, 10 * SECOND)
    silent = np.flatnonzero(np.diff(np.concatenate(([0], audio == 0, [0])).astype(int)))
    pauses = np.diff(silent.reshape(-1, 2), axis=1) / SECOND
    assert ((pauses > 0.1) & (pauses < 0.41)).sum() >= 8
    steepest = 2 * np.pi * 201.5 / SECOND * 0.7
    assert np.abs(np.diff(audio)).max() < 2 * steepest


def test_wide_bands_are_drawn_more_often_than_narrow_ones(tmp_path: Path) -> None:
    source = project_data(tmp_path / "source")
    corpus = prepare_quietly(source, tmp_path / "data")
    heard = [loudest_hz(window(corpus, seed, 4096)) for seed in range(60)]
    wide, narrow = (sum(abs(hz - wanted) < 30 for hz in heard) for wanted in (1000.0, 400.0))
    assert wide > 1.5 * narrow > 0


def project_data(folder: Path) -> Path:
    """The layout of the project's own data: three tables, clips as stretches of longer files."""
    speech = np.concatenate([tone(SECOND, hz=400.0), tone(2 * SECOND, hz=1000.0)])
    for name, audio in {
        "speech/s-00": speech,
        "kokoro/k-00": tone(SECOND, hz=2000.0),
        "noise/n-train": noise(SECOND),
        "noise/n-dev": noise(SECOND),
        "dev/words_00_clean": syllables(SECOND, 500.0),
        "dev/reverb_00_clean": syllables(SECOND, 700.0),
        "dev/reverb_00_noisy": noise(SECOND),
        "dev/noiseonly_00_clean": np.zeros(SECOND, np.float32),
    }.items():
        path = folder / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio, SECOND)
    (folder / "speech.csv").write_text(
        "file,start_s,duration_s,source,speaker_group,licence,bandwidth_hz,snr_db,tier\n"
        "s-00.flac,0.1,0.8,stories,f1,CC BY,15500,40.0,A\n"
        "s-00.flac,0.1,0.8,stories,f3,CC BY,8000,40.0,A\n"
        "s-00.flac,1.5,0.75,stories,f2,CC BY,24000,35.0,B\n"
    )
    (folder / "kokoro.csv").write_text(
        'file,start_s,duration_s,voice,text\nk-00.flac,0.25,0.5,af_x,"Well, yes."\n'
    )
    (folder / "noise.csv").write_text(
        "file,split,what,licence,duration_s\nn-train.flac,train,hiss,CC0,1.0\nn-dev.flac,dev,hiss,CC0,1.0\n"
    )
    (folder / "dev" / "index.csv").write_text(
        "name,condition,detail\nwords_00,words,Well.\nreverb_00,reverb,\nnoiseonly_00,noiseonly,\n"
    )
    return folder


def test_the_projects_own_tables_are_read(tmp_path: Path) -> None:
    corpus = prepare_quietly(project_data(tmp_path / "source"), tmp_path / "data")
    clips = {clip.group: clip for clip in corpus.speech}
    assert {group: clip.length for group, clip in clips.items()} == {
        "stories/f1": round(0.8 * SECOND),
        "stories/f2": round(0.75 * SECOND),
        "kokoro/af_x": round(0.5 * SECOND),
    }
    heard_hz = [
        loudest_hz(corpus.samples(clips[group])) for group in ("stories/f1", "stories/f2", "kokoro/af_x")
    ]
    assert heard_hz == pytest.approx([400.0, 1000.0, 2000.0], abs=3)
    assert clips["stories/f1"].bandwidth_hz == 15_500
    assert [(clip.group, clip.length) for clip in corpus.noise] == [("hiss", SECOND)]


def test_what_is_kept_from_training_makes_a_set_of_its_own(tmp_path: Path) -> None:
    source = project_data(tmp_path / "source")
    prepare(source, tmp_path / "data", lambda done, total: None, "dev")
    corpus = Corpus(tmp_path / "data")
    assert {clip.group for clip in corpus.speech} == {"kokoro/words_00", "dev/reverb_00"}
    assert [loudest_hz(corpus.samples(clip)) for clip in corpus.speech] == pytest.approx(
        [500.0, 700.0], abs=20
    )
    assert [clip.group for clip in corpus.noise] == ["hiss"]


def test_speech_of_a_narrow_band_is_left_out(tmp_path: Path) -> None:
    folder = tones(tmp_path / "recordings", {"wide/a.wav": 300.0})
    (folder / "narrow").mkdir()
    telephone = soxr.resample(syllables(2 * SECOND, 300.0), SECOND, 8000)
    soundfile.write(folder / "narrow" / "t.wav", telephone, 8000)
    corpus = prepare_quietly(folder, tmp_path / "data")
    assert [clip.group for clip in corpus.speech] == ["wide"]
    shutil.rmtree(folder / "wide")
    with pytest.raises(DataError, match="no full-band speech found; add recordings"):
        prepare_quietly(folder, tmp_path / "data")


def test_a_window_tells_up_to_where_it_is_of_full_band(tmp_path: Path) -> None:
    corpus = prepare_quietly(project_data(tmp_path / "source"), tmp_path / "data")
    for seed in range(20):
        audio, band_hz = corpus.banded_speech_window(4096, np.random.default_rng(seed))
        pitch_hz = loudest_hz(audio)
        assert band_hz == (15_500 if abs(pitch_hz - 400) < 30 else band_hz)
        assert band_hz >= 15_500
