"""Speech is found between pauses, and the reach of its band measured."""

import numpy as np
import pytest

from model.plan import SAMPLE_RATE_HZ
from model.segments import active_segments, bandwidth_hz, levelled
from tests.signals import noise
from tests.voice import Audio, voice


def spread(*parts: Audio) -> Audio:
    return np.concatenate(parts).astype(np.float32)


def hiss(seconds: float) -> Audio:
    return (1e-4 * noise(round(seconds * SAMPLE_RATE_HZ))).astype(np.float32)


def test_speech_is_found_between_pauses() -> None:
    first, second = voice(1.0), voice(1.5, seed=1)
    audio = spread(hiss(1.0), first, hiss(0.8), second, hiss(1.0))
    found = active_segments(audio)
    assert len(found) == 2
    for segment, (start, stop) in zip(found, ((1.0, 2.0), (2.8, 4.3)), strict=True):
        assert segment.start / SAMPLE_RATE_HZ == pytest.approx(start - 0.1, abs=0.08)
        assert segment.stop / SAMPLE_RATE_HZ == pytest.approx(stop + 0.1, abs=0.15)


def test_short_pauses_do_not_part_a_sentence() -> None:
    assert len(active_segments(spread(hiss(0.5), voice(1.0), hiss(0.1), voice(1.0), hiss(0.5)))) == 1


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros(100), np.zeros(SAMPLE_RATE_HZ)])
def test_nothing_is_found_in_silence(audio: Audio) -> None:
    assert active_segments(audio.astype(np.float32)) == []
    assert bandwidth_hz(audio.astype(np.float32)) == 0


@pytest.mark.parametrize("edge_hz", [4_000, 8_000, 16_000])
def test_the_band_ends_where_the_speech_does(edge_hz: int) -> None:
    spectrum = np.fft.rfft(voice(2.0))
    frequencies_hz = np.fft.rfftfreq(len(voice(2.0)), 1 / SAMPLE_RATE_HZ)
    spectrum[frequencies_hz > edge_hz] = 0
    limited = np.fft.irfft(spectrum).astype(np.float32)
    limited += 1e-5 * noise(len(limited))
    assert bandwidth_hz(limited) == pytest.approx(edge_hz, abs=400)
    assert bandwidth_hz(voice(2.0)) > 20_000


def test_levelled_speech_peaks_at_one_level() -> None:
    for gain in (0.01, 3.0):
        assert np.abs(levelled(gain * voice(0.5))).max() == pytest.approx(0.7, rel=1e-5)
