"""The restorer streams windows, never takes back what it gave out, and gives a recording the level it had."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model.arrays import FloatArray
from model.bundle import Bundle, BundleConfig
from model.codec import DECODE_CONTEXT_FRAMES, build_dac
from model.errors import BundleError, GraphicsCardError
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ, Sampling, WindowPlan
from model.reference import load_reference
from model.sampler import Draw, sample
from realtime.offline import restore_audio
from realtime.processor import StreamProcessor
from tests.conftest import CODEC
from tests.copier import load_copier, melody
from tests.failing_card import FULL, LIBRARY_FAILED, LOST, FailingCardCodec
from tests.signals import cut, noise, windows
from tests.voice import voice

PLAN = WindowPlan(context_frames=12, hop_frames=4, lookahead_frames=3, fade_samples=441)
CPU = torch.device("cpu")


SAMPLINGS = pytest.mark.parametrize("sampling", ["rolling", "restarting"])


def restore(
    model: MaskSR,
    audio: FloatArray,
    seed: int = 0,
    temperature: float = 1.0,
    sampling: Sampling = "rolling",
) -> list[FloatArray]:
    stream = model.stream(PLAN, sampling=sampling, passes=2, temperature=temperature, seed=seed)
    return [stream.restore_window(window) for window in windows(audio, PLAN)]


@pytest.mark.parametrize(
    "plan",
    [PLAN, WindowPlan(0, 1, 0, 0), WindowPlan(40, 16, 10, 882), WindowPlan(3, 2, 4, 1024)],
    ids=["small", "smallest", "large", "little context"],
)
@pytest.mark.parametrize("guidance", [0.0, 1.5])
@SAMPLINGS
def test_a_window_gives_a_hop_and_a_first_version_of_what_follows(
    model: MaskSR, plan: WindowPlan, guidance: float, sampling: Sampling
) -> None:
    stream = model.stream(plan, sampling=sampling, passes=2, guidance=guidance, temperature=1.0)
    assert stream.plan == plan
    assert stream.passes == 2
    for window in (noise(plan.window_samples), 0 * noise(plan.window_samples)):
        restored = stream.restore_window(window)
        assert restored.shape == (plan.hop_samples + plan.lookahead_samples,)
        assert restored.dtype == np.float32
        assert np.isfinite(restored).all()
        assert restored.any()


@SAMPLINGS
def test_tokens_given_out_never_change(
    model: MaskSR, monkeypatch: pytest.MonkeyPatch, sampling: Sampling
) -> None:
    decoded: list[Tensor] = []
    decode = model.codec.decode

    def watched_decode(tokens: Tensor, start_frame: int, stop_frame: int) -> Tensor:
        decoded.append(tokens)
        return decode(tokens, start_frame, stop_frame)

    monkeypatch.setattr(model.codec, "decode", watched_decode)
    restore(model, noise(30 * FRAME_SAMPLES), sampling=sampling)
    given_out = model.silent_frame.repeat(1, 1, DECODE_CONTEXT_FRAMES)
    for tokens in decoded:
        assert torch.equal(tokens[:, :, :DECODE_CONTEXT_FRAMES], given_out[:, :, -DECODE_CONTEXT_FRAMES:])
        hop = tokens[:, :, DECODE_CONTEXT_FRAMES : DECODE_CONTEXT_FRAMES + PLAN.hop_frames]
        given_out = torch.cat([given_out, hop], dim=2)
    assert given_out.shape[2] == DECODE_CONTEXT_FRAMES + 6 * PLAN.hop_frames


@SAMPLINGS
def test_a_reset_stream_begins_again(model: MaskSR, sampling: Sampling) -> None:
    stream = model.stream(PLAN, sampling=sampling, passes=2, temperature=1.0)
    first = [stream.restore_window(window) for window in windows(noise(20 * FRAME_SAMPLES), PLAN)]
    stream.reset()
    again = [stream.restore_window(window) for window in windows(noise(20 * FRAME_SAMPLES), PLAN)]
    np.testing.assert_array_equal(again, first)


def test_the_seed_decides(model: MaskSR) -> None:
    audio = noise(20 * FRAME_SAMPLES)
    np.testing.assert_array_equal(restore(model, audio, seed=1), restore(model, audio, seed=1))
    assert not np.array_equal(restore(model, audio, seed=1), restore(model, audio, seed=2))


def test_what_comes_after_a_window_changes_nothing_in_it(model: MaskSR) -> None:
    audio = noise(30 * FRAME_SAMPLES)
    other = np.concatenate((audio[: 15 * FRAME_SAMPLES], 3 * noise(15 * FRAME_SAMPLES, seed=1)))
    one, another = restore(model, audio), restore(model, other)
    np.testing.assert_array_equal(one[:3], another[:3])  # windows end after 7, 11 and 15 frames
    assert not np.array_equal(one[3], another[3])


def test_streams_side_by_side_do_not_disturb_each_other(model: MaskSR) -> None:
    one, other = (model.stream(PLAN, passes=2, temperature=1.0) for _ in range(2))
    mixed = []
    for window in windows(noise(20 * FRAME_SAMPLES), PLAN):
        mixed.append(one.restore_window(window))
        other.restore_window(0.3 * window[::-1])
    np.testing.assert_array_equal(mixed, restore(model, noise(20 * FRAME_SAMPLES)))


def test_silence_gives_finite_sound(model: MaskSR) -> None:
    assert np.isfinite(restore(model, np.zeros(20 * FRAME_SAMPLES, np.float32))).all()


@pytest.mark.parametrize("volume", [0.5, 2.0])
@SAMPLINGS
def test_a_recording_keeps_its_level(model: MaskSR, volume: float, sampling: Sampling) -> None:
    audio = noise(30 * FRAME_SAMPLES)
    louder, plain = (restore(model, np.float32(v) * audio, sampling=sampling) for v in (volume, 1.0))
    np.testing.assert_allclose(louder, volume * np.stack(plain), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("guidance", "calls_a_pass"), [(0.0, 1), (1.0, 2)])
@pytest.mark.parametrize("passes", [1, 3])
@SAMPLINGS
def test_a_pass_is_a_call_or_two_with_guidance_and_a_window_is_heard_once(
    model: MaskSR, passes: int, guidance: float, calls_a_pass: int, sampling: Sampling
) -> None:
    calls: list[int] = []
    encodings: list[int] = []
    language_model = model.language_model
    hooks = [
        language_model.register_forward_hook(lambda module, inputs, output: calls.append(len(output))),
        language_model.speech_encoder.register_forward_hook(
            lambda module, inputs, output: encodings.append(len(output[0]))
        ),
    ]
    stream = model.stream(PLAN, sampling=sampling, passes=passes, guidance=guidance, temperature=1.0)
    for window in windows(noise(15 * FRAME_SAMPLES), PLAN):
        stream.restore_window(window)
    for hook in hooks:
        hook.remove()
    assert encodings == [1] * 3
    assert calls == [1] * calls_a_pass * passes * 3


@torch.no_grad()
def restored_tokens(
    model: MaskSR, order: list[int], *, guidance: float = 0.0, temperature: float = 1.0, passes: int = 3
) -> Tensor:
    """Of three windows of noise, in the given order."""
    noisy = torch.from_numpy(np.stack([noise(12 * FRAME_SAMPLES, seed) for seed in order]))
    given = torch.stack([torch.full((model.codec.codebooks, 12), seed) for seed in order])
    pinned = (torch.arange(12) < 6).expand(model.codec.codebooks, -1)
    draw = Draw(model.mask_token, temperature, [torch.Generator().manual_seed(seed) for seed in order])
    condition, _ = model.language_model.encode(noisy, 0 * noisy, model.codec)
    predict = model.predictor(condition, guidance, first_frame=6)
    return sample(predict, given, pinned, passes, draw)


@pytest.mark.parametrize("guidance", [0.0, 1.0])
def test_the_order_of_a_batch_does_not_matter(model: MaskSR, guidance: float) -> None:
    tokens = restored_tokens(model, [0, 1, 2], guidance=guidance)
    assert torch.equal(restored_tokens(model, [2, 0, 1], guidance=guidance), tokens[[2, 0, 1]])


@torch.no_grad()
def test_guidance_moves_predictions_away_from_those_that_hear_nothing(model: MaskSR) -> None:
    tokens = restored_tokens(model, [0], guidance=3.0, temperature=0.0, passes=1)
    noisy = torch.from_numpy(noise(12 * FRAME_SAMPLES)[None])
    condition, _ = model.language_model.encode(noisy, 0 * noisy, model.codec)
    hidden = torch.zeros_like(tokens)
    hidden[:, :, 6:] = model.mask_token
    heard = model.language_model(hidden, condition)
    nothing = model.language_model.no_condition.expand_as(condition)
    unheard = model.language_model(hidden, nothing, chosen=heard.argmax(-1).transpose(1, 2))
    expected = (4 * heard - 3 * unheard).argmax(-1).transpose(1, 2)
    assert torch.equal(tokens[:, :, 6:], expected[:, :, 6:])
    assert not torch.equal(tokens, restored_tokens(model, [0], temperature=0.0, passes=1))


@pytest.mark.parametrize("samples", [0, 1, 30_000, 50_000])
def test_whole_recordings_keep_their_length(model: MaskSR, samples: int) -> None:
    restored = model.restore(noise(samples), passes=1, temperature=1.0)
    assert restored.shape == (samples,)
    assert restored.dtype == np.float32


@pytest.mark.parametrize("block", [1000, 4096])
@SAMPLINGS
def test_live_blocks_give_what_a_file_gives(model: MaskSR, block: int, sampling: Sampling) -> None:
    stream, audio = model.stream(PLAN, sampling=sampling, passes=1, temperature=1.0), voice(1.0)
    expected = restore_audio(stream, audio)
    processor = StreamProcessor(stream)
    processor.prepare(SAMPLE_RATE_HZ, block)
    padded = np.concatenate((audio, np.zeros(processor.latency_frames, np.float32)))
    live = np.concatenate([processor.process(piece) for piece in cut(padded, [block])])
    assert processor.stats.last_error is None
    np.testing.assert_array_equal(live[processor.latency_frames :], expected)


def test_a_bundle_is_loaded(tiny_bundle: Path, model: MaskSR) -> None:
    loaded = MaskSR.load(tiny_bundle)
    assert loaded.mask_token == model.mask_token
    assert np.isfinite(restore(loaded, noise(20 * FRAME_SAMPLES))).all()


def test_a_bundle_is_loaded_where_pytorch_has_no_onednn(
    tiny_bundle: Path, model: MaskSR, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = noise(20 * FRAME_SAMPLES)
    expected = restore(model, audio, temperature=0.0)
    monkeypatch.setattr("torch.backends.mkldnn.is_available", lambda: False)
    monkeypatch.setattr("torch.ops.mkldnn", None)  # as on Apple's processors
    restored = restore(MaskSR.load(tiny_bundle), audio, temperature=0.0)
    np.testing.assert_allclose(restored, expected, atol=1e-4)


@pytest.mark.parametrize("load", [MaskSR.load, load_reference])
def test_a_graphics_card_without_room_leaves_the_work_to_the_processor(
    load: Callable[[Path], MaskSR], tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = nn.Module.to

    def to_where_there_is_room(module: nn.Module, place: torch.device | torch.dtype) -> nn.Module:
        if place == torch.device("cuda"):
            raise torch.OutOfMemoryError
        return to(module, place)

    monkeypatch.setattr(nn.Module, "to", to_where_there_is_room)
    monkeypatch.setattr("model.masksr.device_and_dtype", lambda: (torch.device("cuda"), torch.bfloat16))
    with pytest.warns(UserWarning, match="the processor restores"):
        loaded = load(tiny_bundle)
    assert loaded.device == CPU
    assert np.isfinite(restore(loaded, noise(20 * FRAME_SAMPLES))).all()


@pytest.mark.parametrize("error", [FULL, LOST, LIBRARY_FAILED])
def test_a_card_that_fails_in_the_middle_of_a_stream_is_the_projects_error(
    error: RuntimeError, model: MaskSR, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = model.stream(PLAN, passes=1, temperature=0.0)
    stream.restore_window(noise(PLAN.window_samples))
    monkeypatch.setattr(model, "codec", FailingCardCodec(model.codec, 0, error))
    with pytest.raises(GraphicsCardError, match="no memory left or stopped working: close"):
        stream.restore_window(noise(PLAN.window_samples))


def test_a_bundle_without_language_model_is_one_error(tmp_path: Path) -> None:
    Bundle(BundleConfig(codec=CODEC), build_dac(CODEC).state_dict()).save(tmp_path)
    with pytest.raises(BundleError, match=r"holds a codec alone.*choose"):
        MaskSR.load(tmp_path)


@pytest.fixture(scope="module")
def copier() -> MaskSR:
    return load_copier()


@pytest.mark.parametrize("volume", [0.2, 1.0])
@SAMPLINGS
def test_restored_sound_is_where_and_as_loud_as_it_was(
    copier: MaskSR, volume: float, sampling: Sampling
) -> None:
    audio = np.float32(volume) * melody(2.0)
    stream = copier.stream(PLAN, sampling=sampling, passes=8, temperature=0.0)
    streamed = restore_audio(stream, audio)
    whole = copier.restore(audio, passes=8, temperature=0.0)
    for restored in (streamed, whole):
        inner = slice(SAMPLE_RATE_HZ // 4, -SAMPLE_RATE_HZ // 4)
        assert np.corrcoef(restored[inner], audio[inner])[0, 1] > 0.9
        assert np.std(restored[inner]) == pytest.approx(np.std(audio[inner]), rel=0.2)


def test_restoring_imports_nothing_that_only_training_needs(tiny_bundle: Path) -> None:
    program = f"""
import sys
import numpy as np
from pathlib import Path
from model.masksr import MaskSR
from model.plan import WindowPlan
stream = MaskSR.load(Path({str(tiny_bundle)!r})).stream(WindowPlan(12, 4, 3, 441), passes=1, temperature=0.0)
stream.restore_window(np.zeros(stream.plan.window_samples, np.float32))
print(*{{"torch._dynamo", "torch._inductor", "scipy.signal", "model.data"}} & sys.modules.keys())
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
