"""Background noise: recorded clips varied in speed and tone, synthetic noises, and mixtures of both."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from model.plan import SAMPLE_RATE_HZ

Audio = NDArray[np.float32]
NoiseMaker = Callable[[int, np.random.Generator], Audio]  # (samples, rng) -> float32[samples]
_CYCLE_POINTS = 4096  # of the table that holds one cycle of mains hum


def mix_noise(
    samples: int,
    rng: np.random.Generator,
    recordings: Sequence[NDArray[np.float32] | NDArray[np.int16]],
    babble: NoiseMaker | None = None,
) -> Audio:
    """Return `samples` of background of unit power: one or two recordings, synthetic noises or babble."""
    makers: list[NoiseMaker] = list(SYNTHETIC_NOISES)
    weights = [1.0] * len(makers)
    if len(recordings):
        makers.append(lambda n, generator: vary_recording(recordings, n, generator))
        weights.append(2.0 * len(SYNTHETIC_NOISES))
    if babble is not None:
        makers.append(babble)
        weights.append(0.4 * len(SYNTHETIC_NOISES))
    chosen = rng.choice(len(makers), size=rng.integers(1, 3), p=np.divide(weights, np.sum(weights)))
    levels = 10 ** (rng.uniform(-12.0, 0.0, size=len(chosen)) / 20)
    parts = [level * unit_power(makers[i](samples, rng)) for i, level in zip(chosen, levels, strict=True)]
    return unit_power(np.sum(parts, axis=0, dtype=np.float32))


def unit_power(audio: Audio) -> Audio:
    """Scale to a mean square of 1; silence stays silence."""
    power = np.mean(np.square(audio), dtype=np.float64)
    return audio if power == 0.0 else (audio / np.sqrt(power)).astype(np.float32)


def vary_recording(
    recordings: Sequence[NDArray[np.float32] | NDArray[np.int16]], samples: int, rng: np.random.Generator
) -> Audio:
    """Take a random stretch of a random recording, 0.8 to 1.25 times as fast, its spectrum tilted."""
    recording = recordings[int(rng.integers(len(recordings)))]
    speed = 2.0 ** rng.uniform(-0.32, 0.32)
    needed = int(np.ceil(samples * speed)) + 1
    start = int(rng.integers(max(1, len(recording) - needed + 1)))
    stretch = recording[start : start + needed].astype(np.float32)
    stretch = np.pad(stretch, (0, needed - len(stretch)), mode="wrap")  # a short one is looped
    positions = np.arange(samples) * speed
    faster = np.interp(positions, np.arange(needed), stretch)
    tilt = rng.uniform(-0.4, 0.4)  # one-zero tilt: positive dulls, negative brightens
    return (faster + tilt * np.concatenate(([0.0], faster[:-1]))).astype(np.float32)


def coloured(samples: int, rng: np.random.Generator) -> Audio:
    """White, pink, brown or anything between: power falls with frequency to the power 0 to 2."""
    slope = np.float32(rng.uniform(0.0, 1.0))
    return _shaped(samples, rng, lambda hz: np.maximum(hz, np.float32(20.0)) ** -slope)


def hum(samples: int, rng: np.random.Generator) -> Audio:
    """Mains hum: 50 or 60 Hz, slightly off, with up to 20 harmonics over a faint hiss."""
    harmonics = np.arange(1, rng.integers(4, 21))
    heights = harmonics ** -rng.uniform(0.3, 1.5) * rng.uniform(0.1, 1.0, size=len(harmonics))
    shifts = rng.uniform(0.0, 2 * np.pi, size=len(harmonics))
    angles = np.linspace(0.0, 2 * np.pi, _CYCLE_POINTS, endpoint=False)
    cycle = heights @ np.sin(np.outer(harmonics, angles) + shifts[:, None])
    mains_hz = rng.choice((50.0, 60.0)) * rng.uniform(0.995, 1.005)
    position = np.arange(samples) * (mains_hz / SAMPLE_RATE_HZ * _CYCLE_POINTS)
    tones = cycle.astype(np.float32)[position.astype(np.int64) % _CYCLE_POINTS]
    return unit_power(tones) + np.float32(rng.uniform(0.01, 0.2)) * unit_power(coloured(samples, rng))


def clicks(samples: int, rng: np.random.Generator) -> Audio:
    """Keys, knocks and crackle: 2 to 15 decaying bursts a second over a faint hiss."""
    times = rng.integers(samples, size=max(1, rng.poisson(rng.uniform(2.0, 15.0) * samples / SAMPLE_RATE_HZ)))
    impulses = np.zeros(samples, dtype=np.float32)
    impulses[times] = rng.exponential(size=len(times))
    length = int(rng.uniform(0.002, 0.04) * SAMPLE_RATE_HZ)
    burst = coloured(length, rng) * np.exp(-6.0 * np.arange(length, dtype=np.float32) / length)
    hits = scipy.signal.oaconvolve(impulses, burst)[:samples]
    return unit_power(hits) + np.float32(rng.uniform(0.01, 0.2)) * unit_power(coloured(samples, rng))


def wind(samples: int, rng: np.random.Generator) -> Audio:
    """Wind on the microphone: low-passed noise that comes in gusts."""
    edge_hz = rng.uniform(80.0, 500.0)
    body = _shaped(samples, rng, lambda hz: 1.0 / (1.0 + (hz / edge_hz) ** 2))
    return body * _slow_envelope(samples, rng, rate_hz=rng.uniform(0.5, 4.0), depth_db=20.0)


def fan(samples: int, rng: np.random.Generator) -> Audio:
    """A fan: steady broad noise with a hump and the tones of its blades."""
    hump_hz, blade_hz = rng.uniform(150.0, 1500.0), rng.uniform(60.0, 400.0)
    body = _shaped(samples, rng, lambda hz: 1.0 / (1.0 + np.abs(hz / hump_hz - 1.0)))
    phase = np.arange(samples, dtype=np.float32) * np.float32(2 * np.pi * blade_hz / SAMPLE_RATE_HZ)
    tones = np.sin(phase) + 0.5 * np.sin(2 * phase)
    return unit_power(body) + np.float32(rng.uniform(0.0, 0.6)) * tones


def fluctuating(samples: int, rng: np.random.Generator) -> Audio:
    """Coloured noise whose level wanders, as of traffic or cloth on a microphone."""
    envelope = _slow_envelope(samples, rng, rate_hz=rng.uniform(1.0, 12.0), depth_db=rng.uniform(6.0, 30.0))
    return coloured(samples, rng) * envelope


SYNTHETIC_NOISES: tuple[NoiseMaker, ...] = (coloured, coloured, hum, clicks, wind, fan, fluctuating)


def _shaped(
    samples: int, rng: np.random.Generator, amplitude: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> Audio:
    """Gaussian noise with the given amplitude over frequency (Hz), drawn in the frequency domain."""
    length = scipy.fft.next_fast_len(samples, real=True)
    hz = scipy.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ).astype(np.float32)
    noise = rng.standard_normal(2 * len(hz), dtype=np.float32).view(np.complex64)
    return scipy.fft.irfft(noise * amplitude(hz).astype(np.float32), length)[:samples]


def _slow_envelope(samples: int, rng: np.random.Generator, rate_hz: float, depth_db: float) -> Audio:
    """A gain that moves to a new random level `rate_hz` times a second, between 0 and -`depth_db`."""
    points = int(samples / SAMPLE_RATE_HZ * rate_hz) + 2
    gains = 10 ** (rng.uniform(-depth_db, 0.0, size=points) / 20)
    return np.interp(np.linspace(0, points - 1, samples), np.arange(points), gains).astype(np.float32)
