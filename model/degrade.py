"""Degradation of clean speech for training: what rooms, noises, microphones, codecs and networks do to it.

Every effect is a pure function of its input and a random generator and keeps length and time alignment.
`Degrader` draws which of them apply and composes them in the order of the physical chain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.fft
import scipy.signal
import soxr
from numpy.typing import NDArray

from model.noise import Audio, NoiseMaker, mix_noise
from model.plan import SAMPLE_RATE_HZ
from model.rooms import DIRECT_SAMPLE, Room

PACKET_SAMPLES = 20 * SAMPLE_RATE_HZ // 1000
_COMMON_EDGES_HZ = (1000.0, 2000.0, 3400.0, 4000.0, 5500.0, 7000.0, 8000.0, 11025.0, 12000.0, 16000.0)
_CODEC_WINDOW = 1024


@dataclass(frozen=True)
class DegradeConfig:
    """How often each degradation applies, and how strongly.

    Ranges are uniform, but for that of `snr_db`: the value in its middle is the commonest.
    """

    p_nothing: float = 0.03
    p_noise_only: float = 0.04
    p_reverb: float = 0.5
    p_noise: float = 0.9
    p_colour: float = 0.3
    p_codec: float = 0.1
    p_clip: float = 0.2
    p_band_limit: float = 0.35
    p_packet_loss: float = 0.05
    snr_db: tuple[float, float, float] = (-7.0, 2.0, 22.0)
    gain_db: tuple[float, float] = (-25.0, 6.0)


@dataclass(frozen=True)
class Degraded:
    """What became of clean speech, float32[samples] each.

    The target is the clean speech, with early reflections where a room was applied, or exact silence for
    noise alone. `in_noise` is the target with all of the noise and nothing else, where there is speech in
    noise and no room; else None.
    """

    noisy: Audio
    target: Audio
    in_noise: Audio | None = None

    def changed(self, change: Callable[[Audio], Audio]) -> "Degraded":
        """Each of them changed in the same way."""
        in_noise = None if self.in_noise is None else change(self.in_noise)
        return Degraded(change(self.noisy), change(self.target), in_noise)


@dataclass(frozen=True)
class Degrader:
    """Makes (noisy, target) pairs out of clean speech.

    `noises` are recordings at 44.1 kHz (float32 or int16), `rooms` come from `simulate_rooms`,
    `babble(samples, rng)` returns float32[samples] of many voices. All three may be left empty.
    """

    noises: Sequence[NDArray[np.float32] | NDArray[np.int16]] = ()
    rooms: Sequence[Room] = ()
    babble: NoiseMaker | None = None
    config: DegradeConfig = field(default_factory=DegradeConfig)

    def degrade(self, clean: Audio, rng: np.random.Generator) -> Degraded:
        """What becomes of `clean`, float32[samples] at 44.1 kHz.

        The final gain multiplies all of it alike and never drives the noisy signal beyond 1.
        """
        degraded = Degraded(clean, clean)
        if rng.random() >= self.config.p_nothing:
            degraded = self._draw_chain(clean, rng)
        drawn = 10 ** (rng.uniform(*self.config.gain_db) / 20)
        gain = np.float32(min(drawn, 1.0 / max(float(np.max(np.abs(degraded.noisy))), 1e-9)))
        return degraded.changed(lambda audio: audio * gain)

    def _draw_chain(self, clean: Audio, rng: np.random.Generator) -> Degraded:
        config = self.config
        noise_only = rng.random() < config.p_noise_only
        power = active_power(clean)
        noisy = target = np.zeros_like(clean) if noise_only else clean
        in_noise = None
        in_room = self.rooms and not noise_only and rng.random() < config.p_reverb
        if in_room:
            noisy, target = reverberate(noisy, self.rooms[int(rng.integers(len(self.rooms)))])
        if noise_only or rng.random() < config.p_noise:
            noise = mix_noise(len(clean), rng, self.noises, self.babble)
            noisy = add_noise(noisy, noise, rng.triangular(*config.snr_db), power)
            in_noise = None if noise_only or in_room else noisy
        if rng.random() < config.p_colour:
            noisy = colour(noisy, rng)
        if rng.random() < config.p_codec:
            noisy = quantise_mu_law(noisy) if rng.random() < 0.3 else quantise_spectrum(noisy, rng)
        if rng.random() < config.p_clip:
            noisy = clip(noisy, rng.uniform(0.06, 0.9), hard=bool(rng.random() < 0.6))
        if rng.random() < config.p_band_limit:
            noisy = limit_band(noisy, draw_edge_hz(rng), rng)
        if rng.random() < config.p_packet_loss:
            noisy = lose_packets(noisy, rng)
        return Degraded(noisy, target, in_noise)


def active_power(audio: Audio) -> float:
    """Mean square of the 20 ms frames within 30 dB of the loudest: the level of speech without its pauses."""
    frames = audio[: len(audio) // PACKET_SAMPLES * PACKET_SAMPLES].reshape(-1, PACKET_SAMPLES)
    if len(frames) == 0:
        return float(np.mean(np.square(audio)))
    powers = np.mean(np.square(frames), axis=1)
    return float(np.mean(powers[powers >= 1e-3 * np.max(powers)]))


def reverberate(clean: Audio, room: Room) -> tuple[Audio, Audio]:
    """Return (speech in the room, speech with early reflections only), the direct sound of both in place."""
    whole = slice(DIRECT_SAMPLE, DIRECT_SAMPLE + len(clean))
    return (
        scipy.signal.oaconvolve(clean, room.full)[whole],
        scipy.signal.oaconvolve(clean, room.early)[whole],
    )


def add_noise(speech: Audio, noise: Audio, snr_db: float, speech_power: float) -> Audio:
    """Add `noise` of unit power so that `speech_power` over its power is `snr_db`.

    Where speech_power is 0 a level of -30 dBFS stands in for it.
    """
    return speech + noise * np.float32(np.sqrt((speech_power or 1e-3) * 10 ** (-snr_db / 10)))


def colour(audio: Audio, rng: np.random.Generator) -> Audio:
    """Apply a microphone's response: a smooth random curve of +-8 dB, often with a steep low cut."""
    knots_hz = np.geomspace(60.0, 20_000.0, rng.integers(4, 10))
    knots_db = rng.uniform(-8.0, 8.0, size=len(knots_hz))
    low_cut_hz = rng.uniform(60.0, 400.0) if rng.random() < 0.5 else 1.0
    order = rng.integers(1, 5)

    def amplitude(hz: Audio) -> Audio:
        grid_hz = np.geomspace(20.0, SAMPLE_RATE_HZ / 2, 200)
        curve_db = np.interp(np.log(grid_hz), np.log(knots_hz), knots_db)
        curve_db -= 10 * np.log10(1.0 + (low_cut_hz / grid_hz) ** (2 * order))
        return np.interp(hz, grid_hz, 10 ** (curve_db / 20)).astype(np.float32)

    return _filter(audio, amplitude)


def quantise_mu_law(audio: Audio) -> Audio:
    """Store in 8 bits the way telephones do (ITU-T G.711, mu = 255), full scale at the loudest sample."""
    peak = np.float32(max(float(np.max(np.abs(audio))), 1e-9))
    compressed = np.sign(audio) * np.log1p(255.0 * np.abs(audio) / peak) / np.log(256.0)
    stepped = np.round(compressed * 127.0) / 127.0
    return (np.sign(stepped) * peak * np.expm1(np.abs(stepped) * np.log(256.0)) / 255.0).astype(np.float32)


def quantise_spectrum(audio: Audio, rng: np.random.Generator) -> Audio:
    """Imitate a low-bitrate codec: coarse steps per band, and holes where a band falls below one step."""
    spectrum = _analyse(audio)
    edges = np.unique(np.geomspace(1, spectrum.shape[1], 24).astype(int))
    edges = np.concatenate(([0], edges[:-1]))
    widths = np.diff(np.append(edges, spectrum.shape[1]))
    power = np.add.reduceat(np.square(np.abs(spectrum)), edges, axis=1) / widths
    loudest = np.max(power, axis=1, keepdims=True)
    floor = loudest * 10 ** (-rng.uniform(25.0, 60.0) / 10)  # quieter bands are dropped
    step = np.sqrt(power) * rng.uniform(0.3, 1.8)
    step = np.repeat(np.maximum(step, 1e-9), widths, axis=1).astype(np.float32)
    kept = np.repeat(power >= floor, widths, axis=1)
    coarse = np.round(spectrum.real / step) + 1j * np.round(spectrum.imag / step)
    return _synthesise((coarse * step * kept).astype(np.complex64), len(audio))


def clip(audio: Audio, threshold: float, hard: bool) -> Audio:
    """Limit at `threshold` times the peak, cut off flat or bent smoothly, at the power it had before.

    Keeping the power tells what happens: the gain was too high for the converter, the voice not too low.
    """
    limit = np.float32(max(threshold * float(np.max(np.abs(audio))), 1e-9))
    limited = np.clip(audio, -limit, limit) if hard else limit * np.tanh(audio / limit)
    power = max(float(np.mean(np.square(limited))), 1e-18)
    return limited * np.float32(np.sqrt(np.mean(np.square(audio)) / power))


def draw_edge_hz(rng: np.random.Generator) -> float:
    """Draw an upper band edge: half the time one in common use, else any between 1 and 22 kHz."""
    if rng.random() < 0.5:
        return float(rng.choice(_COMMON_EDGES_HZ))
    return float(np.exp(rng.uniform(np.log(1000.0), np.log(22_000.0))))


def limit_band(audio: Audio, edge_hz: float, rng: np.random.Generator) -> Audio:
    """Remove what lies above `edge_hz`, by resampling there and back, a sharp cut or a Butterworth slope."""
    kind = rng.integers(3)
    if kind == 0:
        return _resample_through(audio, 2.0 * edge_hz, str(rng.choice(("LQ", "MQ", "HQ"))))
    if kind == 1:
        return _filter(audio, lambda hz: (hz <= edge_hz).astype(np.float32))
    twice_order = 2 * int(rng.integers(4, 17))
    return _filter(audio, lambda hz: 1.0 / np.sqrt(1.0 + np.minimum(hz / edge_hz, 4.0) ** twice_order))


def lose_packets(audio: Audio, rng: np.random.Generator) -> Audio:
    """Lose 2 to 20 % of 20 ms packets, in bursts; each is silent or repeats the last received."""
    count = -(-len(audio) // PACKET_SAMPLES)
    packets = np.zeros((count, PACKET_SAMPLES), dtype=np.float32)
    packets.reshape(-1)[: len(audio)] = audio
    rate, mean_burst = rng.uniform(0.02, 0.2), rng.uniform(1.0, 4.0)
    starts = rng.random(count) < rate / mean_burst
    bursts = rng.geometric(1.0 / mean_burst, size=count)
    lost = np.zeros(count, dtype=bool)
    for start in np.flatnonzero(starts):
        lost[start : start + bursts[start]] = True
    last_received = np.maximum.accumulate(np.where(lost, -1, np.arange(count)))
    repeats = rng.random() < 0.5
    fade = np.where(last_received < 0, 0.0, 0.7 ** (np.arange(count) - last_received))
    fade = np.where(lost, fade * repeats, 1.0).astype(np.float32)
    return (packets[last_received] * fade[:, None]).reshape(-1)[: len(audio)]


def _filter(audio: Audio, amplitude: Callable[[Audio], Audio]) -> Audio:
    """Scale the spectrum by a real amplitude over frequency (Hz): no delay, whatever the curve."""
    length = scipy.fft.next_fast_len(len(audio) + 2048, real=True)
    hz = scipy.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ).astype(np.float32)
    spectrum = scipy.fft.rfft(audio, length) * amplitude(hz).astype(np.float32)
    return scipy.fft.irfft(spectrum, length)[: len(audio)]


def _resample_through(audio: Audio, rate_hz: float, quality: str) -> Audio:
    low = soxr.resample(audio, SAMPLE_RATE_HZ, rate_hz, quality)
    back = soxr.resample(low, rate_hz, SAMPLE_RATE_HZ, quality)[: len(audio)]
    return np.pad(back, (0, len(audio) - len(back)))


def _analyse(audio: Audio) -> NDArray[np.complex64]:
    """Half-overlapping sine-windowed spectra, complex64[frames, bins]."""
    hop = _CODEC_WINDOW // 2
    padded = np.pad(audio, (hop, _CODEC_WINDOW + -len(audio) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _CODEC_WINDOW)[::hop]
    return scipy.fft.rfft(frames * scipy.signal.windows.cosine(_CODEC_WINDOW).astype(np.float32), axis=1)


def _synthesise(spectrum: NDArray[np.complex64], samples: int) -> Audio:
    hop = _CODEC_WINDOW // 2
    frames = scipy.fft.irfft(spectrum, _CODEC_WINDOW, axis=1)
    frames *= scipy.signal.windows.cosine(_CODEC_WINDOW).astype(np.float32)
    halves = np.zeros((len(frames) + 1, hop), dtype=np.float32)
    halves[:-1] += frames[:, :hop]
    halves[1:] += frames[:, hop:]
    return halves.reshape(-1)[hop : hop + samples]
