"""How fast this machine restores, what that grows with, and how others compare: `main.py bench`."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

from model.denoiser import RATE_HZ
from model.errors import MaskSRError
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from presets.preset import Preset
from realtime.demo import SAMPLE
from realtime.denoisers import DENOISERS, computing_seconds
from realtime.hop_cost import HopCost, measure_hops
from realtime.ring import Samples
from realtime.threads import leave_room

if TYPE_CHECKING:  # torch is imported only where a model is loaded
    import torch

    from model.bundle import Bundle
    from model.masksr import MaskSR, RestorerStream

HOPS, FEW_HOPS = 150, 10
CONTEXT_FRAMES = (0, 24, 48, 96, 192)
PASSES = (1, 2, 4, 8)
TIMES_LAYERS_AND_WIDTH = ((1, 1), (2, 1), (4, 1), (1, 2), (2, 2))  # of the bundle's language model
WHOLE_FILE_PASSES = 16
NEXT_TO_NOTHING = 1e-6  # what is nothing is not computed
MIB = 2**20


class BenchError(MaskSRError):
    """Something cannot be measured."""


@dataclass(frozen=True)
class Growth:
    """The median time of a hop after one thing was changed to `value`."""

    what: str
    value: float
    hop_ms: float


@dataclass(frozen=True)
class Floor:
    """The least time of a hop, by what it moves and computes and what the machine can: `model.roofline`."""

    moved_mib: float
    mib_per_ms: float
    megaoperations: float
    megaoperations_per_ms: float
    ms: float


@dataclass(frozen=True)
class Report:
    """Everything that is measured.

    `seconds_per_second`: what computing a second of sound takes, by system.
    `missing`: the systems that are not installed.
    """

    preset: str
    passes: int
    device: str
    threads: int
    cost: HopCost
    floor: Floor
    start_seconds: float
    peak_ram_mib: float
    peak_vram_mib: float
    growth: list[Growth]
    seconds_per_second: dict[str, float]
    missing: list[str]


def measure(preset: Preset, model: "MaskSR", show: Callable[[float, str], None]) -> Report:
    """Measure `preset`, whose model is `model`; `show` is told the share that is done and what comes next."""
    import torch

    leave_room()
    audio = soundfile.read(SAMPLE, dtype="float32")[0]
    show(0.0, "hops")
    cost = measure_hops(_stream(model, preset), audio, HOPS)
    ram_mib, vram_mib = _peak_ram_mib(), torch.cuda.max_memory_allocated() / MIB
    floor = _floor(preset, model)
    show(0.3, "start")
    start_seconds = seconds_to_first_sample(preset)
    show(0.4, "growth")
    growth = list(_growth(preset, model, audio))
    show(0.6, "others")
    others = _own_others(preset, model, audio) | _codec(model, audio)
    installed, missing = _denoisers(audio)
    show(1.0, "")
    return Report(
        preset=preset.name,
        passes=preset.passes,
        device=torch.cuda.get_device_name() if model.device.type == "cuda" else "CPU",
        threads=torch.get_num_threads(),
        cost=cost,
        floor=floor,
        start_seconds=start_seconds,
        peak_ram_mib=ram_mib,
        peak_vram_mib=vram_mib,
        growth=growth,
        seconds_per_second={f"preset {preset.name}": cost.real_time_factor} | others | installed,
        missing=missing,
    )


def seconds_to_first_sample(preset: Preset) -> float:
    """From the start of a process to the first restored samples of `preset`."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    started = perf_counter()
    process = context.Process(target=_restore_first_hop, args=(preset, sender))
    process.start()
    sender.close()
    try:
        receiver.recv()
    except EOFError:
        raise BenchError("A fresh process could not restore anything; see the error above.") from None
    finally:
        seconds = perf_counter() - started
        process.join()
    return seconds


def _restore_first_hop(preset: Preset, sender: "Connection[bool, bool]") -> None:
    from model.bundle import bundle_folder
    from model.masksr import MaskSR

    leave_room()
    stream = _stream(MaskSR.load(bundle_folder(preset.bundle)), preset)
    stream.restore_window(np.zeros(preset.plan.window_samples, np.float32))
    sender.send(True)


def _stream(model: "MaskSR", preset: Preset) -> "RestorerStream":
    return model.stream(preset.plan, **preset.stream_settings)


def _device_and_dtype(model: "MaskSR") -> "tuple[torch.device, torch.dtype]":
    """Where `model` is, the CPU also where the card had no room for it, and what most of it computes in."""
    from model.training import cpu_and_dtype, device_and_dtype

    return cpu_and_dtype() if model.device.type == "cpu" else device_and_dtype()


def _floor(preset: Preset, model: "MaskSR") -> Floor:
    from model.roofline import Work, measure_speed

    speed = measure_speed(*_device_and_dtype(model))
    stream, window = _stream(model, preset), np.zeros(preset.plan.window_samples, np.float32)
    stream.graphs.enabled = False  # what a graph does cannot be counted
    stream.restore_window(window)  # the first of a stream is more work than all others
    with Work() as work:
        stream.restore_window(window)
    return Floor(
        moved_mib=work.moved_bytes / MIB,
        mib_per_ms=speed.bytes_per_second / MIB / 1000,
        megaoperations=work.operations / 1e6,
        megaoperations_per_ms=speed.operations_per_second / 1e9,
        ms=1000 * work.least_seconds(speed),
    )


def _growth(preset: Preset, model: "MaskSR", audio: Samples) -> Iterator[Growth]:
    from model.masksr import MaskSR

    def hop_ms(model: "MaskSR", **changes: int) -> float:
        stream = _stream(model, preset.model_copy(update=changes))
        return measure_hops(stream, audio, FEW_HOPS).parts["hop"].p50_ms

    for frames in CONTEXT_FRAMES:
        changed = preset.model_copy(update={"context_frames": frames})
        yield Growth("window, frames", changed.plan.window_frames, hop_ms(model, context_frames=frames))
    for passes in PASSES:
        yield Growth("passes", passes, hop_ms(model, passes=passes))
    for bundle in _other_sizes(preset):
        parameters = sum(tensor.numel() for tensor in bundle.language_model.values())
        larger = MaskSR.from_bundle(bundle, *_device_and_dtype(model))
        yield Growth("parameters, millions", parameters / 1e6, hop_ms(larger))


def _other_sizes(preset: Preset) -> "Iterator[Bundle]":
    """The preset's bundle with untrained language models."""
    from model.bundle import Bundle, bundle_folder
    from model.language_model import LanguageModel

    bundle = Bundle.load(bundle_folder(preset.bundle))
    shape = bundle.config.language_model
    assert shape is not None  # the preset has been measured with it
    for deeper, wider in TIMES_LAYERS_AND_WIDTH:
        changes = {
            "layers": deeper,
            "encoder_layers": deeper,
            "width": wider,
            "heads": wider,
            "feed_forward": wider,
        }
        larger = shape.model_copy(update={key: times * getattr(shape, key) for key, times in changes.items()})
        weights = LanguageModel(larger, bundle.config.codec).state_dict()
        for tensor in weights.values():
            tensor[tensor == 0] = NEXT_TO_NOTHING
        yield Bundle(bundle.config.model_copy(update={"language_model": larger}), bundle.codec, weights)


def _own_others(preset: Preset, model: "MaskSR", audio: Samples) -> dict[str, float]:
    """The plain form of the same model, and the whole file at once with many passes."""
    from model.bundle import bundle_folder
    from model.reference import load_reference

    plain = load_reference(bundle_folder(preset.bundle), on_cpu=model.device.type == "cpu")
    reference = _stream(plain, preset)
    started = perf_counter()
    model.restore(audio, passes=WHOLE_FILE_PASSES, temperature=preset.temperature)
    whole_file_seconds = perf_counter() - started
    return {
        "plain float32": measure_hops(reference, audio, FEW_HOPS).real_time_factor,
        f"whole file, {WHOLE_FILE_PASSES} passes": whole_file_seconds * SAMPLE_RATE_HZ / len(audio),
    }


def _codec(model: "MaskSR", audio: Samples) -> dict[str, float]:
    """The codec alone, both ways."""
    import torch

    from model.transfer import to_host

    whole = audio[: len(audio) // FRAME_SAMPLES * FRAME_SAMPLES]
    sound = torch.from_numpy(whole)[None].to(model.device)
    tokens = model.codec.encode(sound)
    ways: dict[str, Callable[[], torch.Tensor]] = {
        "codec, encoding": lambda: model.codec.encode(sound),
        "codec, decoding": lambda: model.codec.decode(tokens),
    }
    costs = {}
    for name, compute in ways.items():
        to_host(compute())  # the first call lays out weights
        started = perf_counter()
        to_host(compute())
        costs[name] = (perf_counter() - started) * SAMPLE_RATE_HZ / len(whole)
    return costs


def _denoisers(audio: Samples) -> tuple[dict[str, float], list[str]]:
    resampled = soxr.resample(audio, SAMPLE_RATE_HZ, RATE_HZ)
    costs: dict[str, float] = {}
    missing: list[str] = []
    for name in DENOISERS:
        try:
            costs[name] = computing_seconds(name, resampled) * RATE_HZ / len(resampled)
        except ImportError:
            missing.append(name)
    return costs, missing


def _peak_ram_mib() -> float:
    """Of this process; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0.0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
