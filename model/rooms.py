"""Simulated rooms: impulse responses and their early parts, made once with pyroomacoustics."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.plan import SAMPLE_RATE_HZ

DIRECT_SAMPLE = SAMPLE_RATE_HZ // 1000  # every impulse response starts 1 ms before its direct sound
EARLY_SAMPLES = DIRECT_SAMPLE + 5 * SAMPLE_RATE_HZ // 1000  # and is early until 5 ms after it
RT60_RANGE_S = (0.2, 1.0)
DISTANCE_RANGE_M = (0.4, 4.0)  # from before a laptop to across the room
_IMAGE_ORDER = 8  # reflections beyond this order come from ray tracing
_RAYS = 1000
_RAY_FLOOR = 1e-6  # energy at which a ray is given up
_BAND_CENTRES_HZ = (125, 250, 500, 1000, 2000, 4000)
_WALL_MARGIN_M = 0.3
_TAIL_FLOOR_DB = -60.0


@dataclass(frozen=True)
class Room:
    """One path from a mouth to a microphone at 44.1 kHz.

    `full` and `early` are float32 impulse responses whose direct sound is at `DIRECT_SAMPLE`; `early` is the
    first `EARLY_SAMPLES` of `full` (1 ms before to 5 ms after the direct sound, the target window of the
    MaskSR re-implementation in muse-maskgit-pytorch) and has unit energy.
    """

    full: NDArray[np.float32]
    early: NDArray[np.float32]


def simulate_rooms(count: int, seed: int) -> list[Room]:
    """Simulate `count` random shoebox rooms; 0.1-0.6 s of one core each.

    Seeds pyroomacoustics' own random numbers as well, since its ray tracer takes no generator.
    """
    import pyroomacoustics as pra  # heavy, and needed only when rooms are made

    pra.random.seed(seed)
    rng = np.random.default_rng(seed)
    return [_simulate_room(rng) for _ in range(count)]


def save_rooms(path: Path, rooms: Sequence[Room]) -> None:
    """Write rooms as one uncompressed .npz of their full impulse responses, whole or not at all."""
    partial = path.with_suffix(f".{os.getpid()}.npz")  # the processes of a training write at once
    np.savez(partial, *(room.full for room in rooms))
    partial.replace(path)


def load_rooms(path: Path) -> list[Room]:
    """Read what `save_rooms` wrote."""
    with np.load(path) as archive:
        return [_room(archive[name]) for name in archive.files]


def _room(full: NDArray[np.float32]) -> Room:
    return Room(full, full[:EARLY_SAMPLES])


def _simulate_room(rng: np.random.Generator) -> Room:
    import pyroomacoustics as pra

    size_m, absorption = _draw_room(rng)
    bands = {"coeffs": list(absorption), "center_freqs": list(_BAND_CENTRES_HZ)}
    room = pra.ShoeBox(
        size_m,
        fs=SAMPLE_RATE_HZ,
        materials=pra.Material(bands),
        max_order=_IMAGE_ORDER,
        ray_tracing=True,
        air_absorption=True,
    )
    room.set_ray_tracing(n_rays=_RAYS, receiver_radius=0.5, energy_thres=_RAY_FLOOR)
    mouth_m, microphone_m = _draw_positions(rng, size_m)
    room.add_source(mouth_m)
    room.add_microphone(microphone_m)
    room.compute_rir()
    filter_delay = pra.constants.get("frac_delay_length") // 2
    distance_m = float(np.linalg.norm(mouth_m - microphone_m))
    direct = filter_delay + round(distance_m / pra.constants.get("c") * SAMPLE_RATE_HZ)
    return _room(_trim(room.rir[0][0], direct))


def _draw_room(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw a room size in metres and an absorption per octave that give a reverberation time within range."""
    import pyroomacoustics as pra

    while True:
        size_m = rng.uniform((2.0, 2.0, 2.3), (9.0, 7.0, 3.8))
        rt60_s = rng.uniform(*RT60_RANGE_S)
        try:
            mean_absorption, _ = pra.inverse_sabine(rt60_s, size_m)
        except ValueError:  # no wall absorbs enough to make so large a room so dry: draw again
            continue
        tilt = np.linspace(-1.0, 1.0, len(_BAND_CENTRES_HZ)) * rng.uniform(-0.1, 0.5)
        return size_m, np.clip(mean_absorption * (1.0 + tilt), 0.01, 0.99)


def _draw_positions(
    rng: np.random.Generator, size_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw mouth and microphone, both clear of the walls."""
    while True:
        mouth_m = rng.uniform(_WALL_MARGIN_M, size_m - _WALL_MARGIN_M)
        direction = rng.standard_normal(3)
        distance_m = np.exp(rng.uniform(*np.log(DISTANCE_RANGE_M)))
        microphone_m = mouth_m + direction / np.linalg.norm(direction) * distance_m
        if np.all(microphone_m > _WALL_MARGIN_M) and np.all(microphone_m < size_m - _WALL_MARGIN_M):
            return mouth_m, microphone_m


def _trim(response: NDArray[np.float64], direct: int) -> NDArray[np.float32]:
    """Start 1 ms before the direct sound, end at the inaudible, scale the early part to unit energy."""
    started = np.concatenate((np.zeros(DIRECT_SAMPLE), response))[direct:]
    remaining = np.cumsum(started[::-1] ** 2)[::-1]
    end = int(np.searchsorted(-remaining, -remaining[0] * 10 ** (_TAIL_FLOOR_DB / 10)))
    kept = started[: max(end, EARLY_SAMPLES)]
    scale = np.sqrt(np.sum(kept[:EARLY_SAMPLES] ** 2))
    return (kept / scale).astype(np.float32)
