"""Each degradation does what its name says, and pairs stay aligned, bounded and reproducible."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from model import noise
from model.degrade import (
    PACKET_SAMPLES,
    DegradeConfig,
    Degrader,
    active_power,
    add_noise,
    clip,
    colour,
    limit_band,
    lose_packets,
    quantise_mu_law,
    quantise_spectrum,
    reverberate,
)
from model.noise import NoiseMaker
from model.plan import SAMPLE_RATE_HZ
from model.rooms import DIRECT_SAMPLE, Room, load_rooms, save_rooms, simulate_rooms

Audio = NDArray[np.float32]
NEVER = DegradeConfig(0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def rooms() -> list[Room]:
    return simulate_rooms(2, seed=3)


@pytest.fixture(scope="module")
def speech() -> Audio:
    """Two seconds of full-band bursts at syllable rate, with pauses."""
    rng = np.random.default_rng(1)
    time_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    syllables = np.maximum(0.0, np.sin(2 * np.pi * 3 * time_s)) * (time_s % 1.0 < 0.7)
    return (0.1 * syllables * rng.standard_normal(len(time_s))).astype(np.float32)


def lag_samples(later: Audio, earlier: Audio) -> int:
    correlation = scipy.signal.correlate(later, earlier, mode="full")
    return int(np.argmax(correlation)) - (len(earlier) - 1)


def energy_above(audio: Audio, edge_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(audio)) ** 2
    hz = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE_HZ)
    return float(spectrum[hz > edge_hz].sum() / spectrum.sum())


@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 40.0])
def test_noise_is_added_at_the_asked_ratio_to_active_speech(
    speech: Audio, rng: np.random.Generator, snr_db: float
) -> None:
    background = noise.mix_noise(len(speech), rng, ())
    added = add_noise(speech, background, snr_db, active_power(speech)).astype(np.float64) - speech
    measured = 10 * np.log10(active_power(speech) / np.mean(added**2))
    assert measured == pytest.approx(snr_db, abs=0.1)


def test_active_power_ignores_pauses(speech: Audio) -> None:
    padded = np.concatenate((speech, np.zeros_like(speech)))
    assert active_power(padded) == pytest.approx(active_power(speech), rel=0.02)


@pytest.mark.parametrize("maker", dict.fromkeys(noise.SYNTHETIC_NOISES), ids=lambda maker: maker.__name__)
def test_synthetic_noises_are_lively_and_seeded(maker: NoiseMaker) -> None:
    first, again = (maker(40_000, np.random.default_rng(5)) for _ in range(2))
    assert first.shape == (40_000,) and first.dtype == np.float32
    assert np.all(np.isfinite(first)) and np.std(first) > 0
    np.testing.assert_array_equal(first, again)


def test_hum_stands_on_mains_harmonics(rng: np.random.Generator) -> None:
    audio = noise.hum(4 * SAMPLE_RATE_HZ, rng)
    assert energy_above(audio, 30.0) - energy_above(audio, 1300.0) > 0.9


def test_recordings_of_either_type_are_looped_and_varied(rng: np.random.Generator) -> None:
    recording = rng.integers(-3000, 3000, size=1000).astype(np.int16)
    sources: list[Audio | NDArray[np.int16]] = [recording, recording.astype(np.float32)]
    for source in sources:
        audio = noise.mix_noise(5000, np.random.default_rng(2), [source])
        assert np.mean(audio**2) == pytest.approx(1.0, rel=1e-3)


def test_babble_is_used_when_supplied(rng: np.random.Generator) -> None:
    voices = np.sin(np.arange(3000) * 0.05).astype(np.float32)
    heard = [
        np.corrcoef(noise.mix_noise(3000, rng, (), lambda n, _: voices[:n]), voices)[0, 1] for _ in range(40)
    ]
    assert max(heard) > 0.99


def test_rooms_begin_with_the_direct_sound_and_are_reproducible(rooms: list[Room], tmp_path: Path) -> None:
    for room in rooms:
        assert abs(int(np.argmax(np.abs(room.early))) - DIRECT_SAMPLE) <= SAMPLE_RATE_HZ * 5 // 1000
        assert np.max(np.abs(room.full[: DIRECT_SAMPLE // 2])) < 0.1 * np.max(np.abs(room.early))
        assert np.sum(room.early**2) == pytest.approx(1.0, rel=1e-3)
        assert len(room.full) > len(room.early)
    again = simulate_rooms(1, seed=3)[0]
    np.testing.assert_array_equal(again.full, rooms[0].full)
    save_rooms(tmp_path / "rooms.npz", rooms)
    np.testing.assert_array_equal(load_rooms(tmp_path / "rooms.npz")[1].full, rooms[1].full)


def test_a_kill_while_rooms_are_written_leaves_those_before_them(
    rooms: list[Room], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(path: Path, *arrays: object) -> None:
        path.write_bytes(b"PK")
        raise KeyboardInterrupt

    save_rooms(tmp_path / "rooms.npz", rooms)
    monkeypatch.setattr("numpy.savez", begin)
    with pytest.raises(KeyboardInterrupt):
        save_rooms(tmp_path / "rooms.npz", rooms[:1])
    assert len(load_rooms(tmp_path / "rooms.npz")) == len(rooms)


def test_rooms_reach_from_a_near_microphone_to_a_far_one() -> None:
    late = DIRECT_SAMPLE + SAMPLE_RATE_HZ // 20
    rooms = simulate_rooms(20, 1)
    clarities_db = [10 * np.log10(np.sum(r.full[:late] ** 2) / np.sum(r.full[late:] ** 2)) for r in rooms]
    assert np.percentile(clarities_db, 25) < 9.0 and np.percentile(clarities_db, 75) > 11.0


def test_reverberation_adds_a_tail_the_target_lacks_and_no_delay(rooms: list[Room]) -> None:
    impulse = np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)
    impulse[1000] = 1.0
    for room in rooms:
        noisy, target = reverberate(impulse, room)
        assert len(noisy) == len(target) == len(impulse)
        start, early_end = 1000 - DIRECT_SAMPLE, 1000 - DIRECT_SAMPLE + len(room.early)
        np.testing.assert_allclose(noisy[start:early_end], target[start:early_end], atol=1e-5)
        np.testing.assert_allclose(target[early_end:], 0.0, atol=1e-6)
        assert np.sum(noisy[early_end:] ** 2) > 1e-4


@pytest.mark.parametrize("hard", [True, False])
def test_clipping_limits_at_a_share_of_the_peak_and_keeps_the_power(speech: Audio, hard: bool) -> None:
    clipped = clip(speech, 0.2, hard)
    assert np.mean(clipped**2) == pytest.approx(np.mean(speech**2), rel=1e-3)
    limit = 0.2 * np.max(np.abs(speech))
    quiet = (np.abs(speech) < 0.05 * limit) & (speech != 0)
    gain = np.median(clipped[quiet] / speech[quiet])
    np.testing.assert_allclose(clipped[quiet], gain * speech[quiet], rtol=2e-3)
    assert np.max(np.abs(clipped)) <= gain * limit * 1.001
    assert (np.count_nonzero(np.isclose(np.abs(clipped), gain * limit, rtol=1e-3)) > 200) == hard


@pytest.mark.parametrize("edge_hz", [1000.0, 3400.0, 12_000.0])
def test_band_limit_empties_the_band_above_and_keeps_that_below(speech: Audio, edge_hz: float) -> None:
    for seed in range(8):
        limited = limit_band(speech, edge_hz, np.random.default_rng(seed))
        assert energy_above(limited, 1.5 * edge_hz) < 0.01
        assert lag_samples(limited, speech) == 0
        lowpass = scipy.signal.butter(4, edge_hz / 4, fs=SAMPLE_RATE_HZ, output="sos")
        before, after = (scipy.signal.sosfilt(lowpass, audio) for audio in (speech, limited))
        np.testing.assert_allclose(after, before, atol=0.02 * np.max(np.abs(before)))


def test_packet_loss_touches_whole_packets_only(rng: np.random.Generator) -> None:
    audio = rng.standard_normal(100 * PACKET_SAMPLES).astype(np.float32)
    lost_shares = []
    for seed in range(20):
        received = lose_packets(audio, np.random.default_rng(seed))
        changed = np.mean((received != audio).reshape(-1, PACKET_SAMPLES), axis=1)
        assert set(np.unique(changed)) <= {0.0, 1.0}
        lost_shares.append(np.mean(changed))
    assert 0.05 < np.mean(lost_shares) < 0.2


def test_colouring_moves_the_spectrum_and_not_the_time(speech: Audio) -> None:
    coloured = colour(speech, np.random.default_rng(3))
    gain_db = 20 * np.log10(
        scipy.signal.welch(coloured, nperseg=512)[1] / scipy.signal.welch(speech, nperseg=512)[1]
    )
    assert np.ptp(gain_db[2:230]) > 3.0
    assert lag_samples(coloured, speech) == 0


def test_mu_law_leaves_255_levels(speech: Audio) -> None:
    assert len(np.unique(quantise_mu_law(speech))) <= 255
    error = quantise_mu_law(speech) - speech
    assert 20 < 10 * np.log10(np.sum(speech**2) / np.sum(error**2)) < 50


def test_spectral_quantisation_drops_bands_and_keeps_the_waveform_recognisable(speech: Audio) -> None:
    for seed in range(5):
        coded = quantise_spectrum(speech, np.random.default_rng(seed))
        assert lag_samples(coded, speech) == 0
        assert 0.3 < np.corrcoef(coded, speech)[0, 1] < 0.999


def test_nothing_drawn_leaves_only_a_common_gain(speech: Audio, rng: np.random.Generator) -> None:
    degraded = Degrader(config=NEVER).degrade(speech, rng)
    np.testing.assert_array_equal(degraded.noisy, degraded.target)
    assert np.corrcoef(degraded.noisy, speech)[0, 1] == pytest.approx(1.0)


def test_noise_only_pairs_have_a_silent_target(speech: Audio, rng: np.random.Generator) -> None:
    degraded = Degrader(config=DegradeConfig(p_nothing=0, p_noise_only=1)).degrade(speech, rng)
    assert not np.any(degraded.target)
    assert np.std(degraded.noisy) > 0


def test_speech_in_noise_alone_is_told_as_well(speech: Audio, rng: np.random.Generator) -> None:
    in_noise = replace(NEVER, p_nothing=0, p_noise=1)
    degraded = Degrader(config=in_noise).degrade(speech, rng)
    np.testing.assert_array_equal(degraded.in_noise, degraded.noisy)
    degraded = Degrader(config=replace(in_noise, p_clip=1, p_band_limit=1)).degrade(speech, rng)
    assert degraded.in_noise is not None
    assert np.max(np.abs(degraded.in_noise)) > 1.1 * np.max(np.abs(degraded.noisy))


@pytest.mark.parametrize(
    "config",
    [replace(NEVER, p_noise_only=1, p_noise=1), NEVER, replace(NEVER, p_noise=1, p_reverb=1)],
    ids=["noise alone", "no noise", "a room"],
)
def test_it_is_told_of_nothing_else(
    config: DegradeConfig, speech: Audio, rooms: list[Room], rng: np.random.Generator
) -> None:
    assert Degrader(rooms=rooms, config=config).degrade(speech, rng).in_noise is None


@pytest.mark.parametrize(
    "make_clean",
    [lambda: np.zeros(30_001, np.float32), lambda: np.ones(300, np.float32) / 2, lambda: np.eye(1, 5000)[0]],
    ids=["silence", "shorter than a packet", "one impulse"],
)
def test_odd_input_stays_finite_and_keeps_its_length(
    make_clean: Callable[[], Audio], rooms: list[Room]
) -> None:
    clean = make_clean().astype(np.float32)
    for seed in range(30):
        degraded = Degrader(rooms=rooms).degrade(clean, np.random.default_rng(seed))
        for audio in filter(lambda sound: sound is not None, vars(degraded).values()):
            assert audio.shape == clean.shape and audio.dtype == np.float32
            assert np.all(np.isfinite(audio))


def test_pairs_are_bounded_aligned_and_reproducible(speech: Audio, rooms: list[Room]) -> None:
    degrader = Degrader([np.random.default_rng(0).standard_normal(50_000).astype(np.float32)], rooms)
    for seed in range(40):
        degraded = degrader.degrade(speech, np.random.default_rng(seed))
        noisy, target = degraded.noisy, degraded.target
        assert noisy.shape == target.shape == speech.shape
        assert noisy.dtype == target.dtype == np.float32
        assert np.max(np.abs(noisy)) <= 1.0001
        again = degrader.degrade(speech, np.random.default_rng(seed))
        np.testing.assert_array_equal(noisy, again.noisy)
        if np.any(target) and np.corrcoef(noisy, target)[0, 1] > 0.3:
            assert abs(lag_samples(noisy, target)) <= SAMPLE_RATE_HZ // 1000
