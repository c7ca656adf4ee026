"""The streaming restorer keeps its contract: sizes, delay, determinism, no clicks, no failures passed on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import MaskSRError
from model.plan import FRAME_SAMPLES, WindowPlan
from realtime.messages import ParameterError, Parameters
from realtime.passthrough import PassThrough
from realtime.processor import MAX_BLOCK_FRAMES, StreamError, StreamProcessor, WindowRestorer
from realtime.ring import Samples
from tests.signals import cut, noise, tone

PLAN = WindowPlan(context_frames=3, hop_frames=2, lookahead_frames=2, fade_samples=512)
RATES = [8_000, 16_000, 37_123, 44_100, 48_000, 96_000, 192_000]


class Recorder(PassThrough):
    """Keeps every window it is given."""

    def __init__(self, plan: WindowPlan) -> None:
        super().__init__(plan)
        self.windows: list[Samples] = []
        self.resets = 0

    def restore_window(self, noisy: Samples) -> Samples:
        self.windows.append(noisy.copy())
        return super().restore_window(noisy)

    def reset(self) -> None:
        self.resets += 1


class Wavering(PassThrough):
    """A restorer whose windows disagree: each has another gain, the same ones after a reset."""

    def reset(self) -> None:
        self.gains = np.random.default_rng(5)

    def restore_window(self, noisy: Samples) -> Samples:
        return super().restore_window(noisy) * np.float32(self.gains.uniform(0.7, 0.9))


class Failing(PassThrough):
    """Inverts the sound, except where it fails."""

    def __init__(
        self, plan: WindowPlan, failure: float | Exception | None, bad_hops: tuple[int, ...] = (3, 4)
    ) -> None:
        super().__init__(plan)
        self.failure, self.bad_hops, self.hops = failure, bad_hops, 0

    def restore_window(self, noisy: Samples) -> Samples:
        self.hops += 1
        out = -super().restore_window(noisy)
        if self.hops - 1 not in self.bad_hops:
            return out
        if isinstance(self.failure, Exception):
            raise self.failure
        out[7] = np.float32(self.failure or 0.0)
        return out


def prepared(restorer: WindowRestorer, rate: int = 44_100, block: int = MAX_BLOCK_FRAMES) -> StreamProcessor:
    processor = StreamProcessor(restorer)
    processor.prepare(rate, block)
    return processor


def run(processor: StreamProcessor, signal: Samples, sizes: list[int]) -> Samples:
    """The processor's output for `signal` in blocks of the given sizes, repeated."""
    out = []
    for block in cut(signal, sizes):
        out.append(processor.process(block))
        assert out[-1].shape == block.shape
        assert out[-1].dtype == np.float32
    return np.concatenate(out)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sizes", [[MAX_BLOCK_FRAMES], [480], [31, 1, 977]], ids=str)
def test_an_impulse_comes_out_exactly_latency_frames_later(rate: int, sizes: list[int]) -> None:
    processor = prepared(PassThrough(PLAN), rate)
    position = 1_000
    signal = np.zeros(position + processor.latency_frames + 2_000, np.float32)
    signal[position] = 0.8
    out = run(processor, signal, sizes)
    assert np.argmax(np.abs(out)) == position + processor.latency_frames
    around = out[position + processor.latency_frames - 40 :][:81]
    np.testing.assert_allclose(around, around[::-1], atol=2e-3)  # symmetric: not a fraction of a frame off


def test_at_the_models_rate_the_delay_is_the_plans_and_the_sound_untouched() -> None:
    processor = prepared(PassThrough(PLAN))
    signal = noise(20_000)
    out = run(processor, signal, [777])
    assert processor.latency_frames == PLAN.latency_samples
    np.testing.assert_allclose(out[PLAN.latency_samples :], signal[: -PLAN.latency_samples], atol=1e-6)
    assert not out[: PLAN.latency_samples].any()


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 192_000])
@settings(deadline=None, max_examples=4)
@given(sizes=st.lists(st.integers(1, MAX_BLOCK_FRAMES), min_size=1, max_size=6))
def test_blocks_do_not_change_the_result(rate: int, sizes: list[int]) -> None:
    signal = noise(rate // 3)
    whole = run(prepared(Wavering(PLAN), rate), signal, [MAX_BLOCK_FRAMES])
    np.testing.assert_array_equal(run(prepared(Wavering(PLAN), rate), signal, sizes), whole)


def test_blocks_of_one_frame() -> None:
    signal = noise(6_000)
    whole = run(prepared(Wavering(PLAN), 48_000), signal, [MAX_BLOCK_FRAMES])
    np.testing.assert_array_equal(run(prepared(Wavering(PLAN), 48_000), signal, [1]), whole)


@settings(deadline=None, max_examples=10)
@given(
    rate=st.integers(8_000, 192_000),
    hop=st.integers(1, 9),
    lookahead=st.integers(0, 9),
    sizes=st.lists(st.integers(1, MAX_BLOCK_FRAMES), min_size=1, max_size=4),
)
def test_any_rate_plan_and_block_size_keeps_up(rate: int, hop: int, lookahead: int, sizes: list[int]) -> None:
    processor = prepared(PassThrough(WindowPlan(1, hop, lookahead, 0)), rate, max(sizes))
    out = run(processor, tone(rate, rate), sizes)
    expected = tone(rate - processor.latency_frames, rate)
    middle = slice(rate // 8, -rate // 8)
    np.testing.assert_allclose(out[processor.latency_frames :][middle], expected[middle], atol=1e-3)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_reset_starts_over(rate: int) -> None:
    processor, signal = prepared(Wavering(PLAN), rate), noise(30_000)
    first = run(processor, signal, [1_000])
    run(processor, noise(4_321, seed=1), [1_000])
    processor.reset()
    np.testing.assert_array_equal(run(processor, signal, [1_000]), first)
    assert processor.stats.hops > 0


def test_windows_hold_the_samples_the_contract_names() -> None:
    recorder, signal = Recorder(PLAN), noise(20_000)
    run(prepared(recorder), signal, [500])
    context = PLAN.context_frames * FRAME_SAMPLES
    padded = np.concatenate([np.zeros(context, np.float32), signal])
    assert len(recorder.windows) == (len(signal) - PLAN.lookahead_samples) // PLAN.hop_samples
    for number, window in enumerate(recorder.windows):
        np.testing.assert_array_equal(window, padded[number * PLAN.hop_samples :][: PLAN.window_samples])


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_past_does_not_depend_on_the_future(rate: int) -> None:
    signal, change = noise(30_000), 15_000
    other = signal.copy()
    other[change:] = noise(15_000, seed=9)
    out = [run(prepared(Wavering(PLAN), rate), x, [999]) for x in (signal, other)]
    np.testing.assert_array_equal(out[0][:change], out[1][:change])
    assert (out[0][change:] != out[1][change:]).any()


def steps_at_hops(out: Samples, hop: int = PLAN.hop_samples) -> tuple[float, float]:
    """The largest sample-to-sample step at hop boundaries, and anywhere else, once the stream runs."""
    steps = np.abs(np.diff(out))[PLAN.latency_samples :]
    at_hops = np.zeros(len(steps), bool)
    at_hops[hop - 1 :: hop] = True
    return steps[at_hops].max(), steps[~at_hops].max()


def test_windows_that_disagree_meet_without_a_click() -> None:
    signal = tone(60_000)
    at_hops, elsewhere = steps_at_hops(run(prepared(Wavering(PLAN)), signal, [441]))
    assert at_hops <= elsewhere
    assert elsewhere < 1.1 * np.abs(np.diff(signal)).max()


def test_without_a_fade_the_same_windows_do_click() -> None:
    unfaded = WindowPlan(PLAN.context_frames, PLAN.hop_frames, PLAN.lookahead_frames, 0)
    at_hops, elsewhere = steps_at_hops(run(prepared(Wavering(unfaded)), tone(60_000), [441]))
    assert at_hops > 2 * elsewhere


@pytest.mark.parametrize(
    "failure",
    [
        np.nan,
        np.inf,
        RuntimeError("out of memory"),
        MaskSRError("bad bundle"),
        FloatingPointError("overflow"),
    ],
    ids=repr,
)
def test_a_failing_hop_is_the_input_of_the_same_instant(failure: float | Exception) -> None:
    processor, signal = prepared(Failing(PLAN, failure)), tone(20_000)
    out = run(processor, signal, [512])[PLAN.latency_samples :]
    hop, fade = PLAN.hop_samples, PLAN.fade_samples
    dry = slice(3 * hop + fade, 5 * hop)
    np.testing.assert_allclose(out[dry], signal[dry], atol=1e-6)
    for wet in (slice(0, 3 * hop), slice(5 * hop + fade, 8 * hop)):
        np.testing.assert_allclose(out[wet], -signal[wet], atol=1e-6)
    assert np.abs(np.diff(out)).max() < 1.5 * np.abs(np.diff(signal)).max()
    assert (processor.stats.dry_hops, processor.stats.restored_hops) == (2, processor.stats.hops - 2)
    assert processor.stats.last_error


def test_errors_that_are_not_the_models_are_not_hidden() -> None:
    processor = prepared(Failing(PLAN, KeyError("a bug")))
    with pytest.raises(KeyError):
        run(processor, noise(20_000), [512])


def test_a_restorer_starts_over_after_windows_it_did_not_see() -> None:
    recorder, signal = Recorder(PLAN), noise(3 * PLAN.hop_samples)
    processor = prepared(recorder)
    resets = recorder.resets
    run(processor, signal, [512])
    processor.behind_seconds = 0.1
    run(processor, signal, [512])
    seen = len(recorder.windows)
    processor.behind_seconds = 0.0
    run(processor, signal, [512])
    assert recorder.resets == resets + 1
    assert (seen, len(recorder.windows)) == (3 - PLAN.lookahead_frames // PLAN.hop_frames, 2 + 3)
    assert processor.stats.dry_hops == 3


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_wild_numbers_in_the_input_become_silence(rate: int) -> None:
    signal = noise(20_000)
    wild, silenced = signal.copy(), signal.copy()
    bad = slice(5_000, 5_040)
    wild[bad] = np.tile([np.nan, np.inf, -np.inf, np.nan], 10)
    silenced[bad] = 0.0
    out = [run(prepared(PassThrough(PLAN), rate), x, [512]) for x in (wild, silenced)]
    np.testing.assert_array_equal(out[0], out[1])


@pytest.mark.parametrize("level", [1.0, 3.0, 1e30])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_output_never_exceeds_full_scale(level: float, rate: int) -> None:
    signal = np.sign(tone(20_000)) * np.float32(level)
    out = run(prepared(PassThrough(PLAN), rate), signal, [512])
    assert np.isfinite(out).all()
    assert 0.9 < np.abs(out).max() <= 1.0


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_silence_stays_silence(rate: int) -> None:
    assert not run(prepared(PassThrough(PLAN), rate), np.zeros(20_000, np.float32), [512]).any()


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_bypass_is_the_input_itself_delayed_as_the_restored_sound(rate: int) -> None:
    processor, signal = prepared(Failing(PLAN, None, bad_hops=()), rate), noise(20_000)
    processor.parameters = Parameters(bypass=True)
    processor.reset()
    out = run(processor, signal, [333])
    np.testing.assert_array_equal(out[processor.latency_frames :], signal[: -processor.latency_frames])


def test_dry_wet_mixes_aligned_signals() -> None:
    processor, signal = prepared(Failing(PLAN, None, bad_hops=())), noise(20_000)
    processor.parameters = Parameters(dry_wet=0.25)
    processor.reset()
    out = run(processor, signal, [333])
    np.testing.assert_allclose(
        out[processor.latency_frames :], 0.5 * signal[: -processor.latency_frames], atol=1e-6
    )


def test_muting_fades_to_silence_and_back_without_a_click() -> None:
    processor, signal = prepared(PassThrough(PLAN)), tone(44_100, hz=50.0)
    muted, blocks = range(40, 60), []
    for number, block in enumerate(cut(signal, [441])):
        processor.parameters = Parameters(mute=number in muted)
        blocks.append(processor.process(block))
    assert not np.concatenate([blocks[number] for number in muted[3:]]).any()
    after = slice(65 * 441, None)
    expected = np.concatenate([np.zeros(PLAN.latency_samples, np.float32), signal])[: len(signal)]
    np.testing.assert_allclose(np.concatenate(blocks)[after], expected[after], atol=1e-6)
    assert np.abs(np.diff(np.concatenate(blocks))).max() < 1.2 * np.abs(np.diff(signal)).max()


def test_switching_bypass_while_running_does_not_click() -> None:
    processor, signal = prepared(Failing(PLAN, None, bad_hops=())), tone(40_000)
    out = []
    for turn, start in enumerate(range(0, len(signal), 400)):
        processor.parameters = Parameters(bypass=turn % 20 >= 10)
        out.append(processor.process(signal[start : start + 400]))
    joined = np.concatenate(out)[processor.latency_frames :]
    assert np.abs(np.diff(joined)).max() < 1.5 * np.abs(np.diff(signal)).max()
    assert joined[3_200] * joined[7_000] != 0


@pytest.mark.parametrize(("rate", "block"), [(7_999, 64), (192_001, 64), (48_000, 0), (48_000, 8_193)])
def test_refuses_rates_and_blocks_outside_its_limits(rate: int, block: int) -> None:
    with pytest.raises(StreamError, match="use"):
        StreamProcessor(PassThrough(PLAN)).prepare(rate, block)


def test_refuses_blocks_it_was_not_prepared_for() -> None:
    processor = prepared(PassThrough(PLAN), block=64)
    with pytest.raises(StreamError, match="up to 64 frames"):
        processor.process(np.zeros(65, np.float32))
    with pytest.raises(StreamError, match="mono"):
        processor.process(np.zeros((8, 2), np.float32))


@pytest.mark.parametrize("dry_wet", [-0.1, 1.1, np.nan])
def test_refuses_a_mix_outside_its_range(dry_wet: float) -> None:
    with pytest.raises(ParameterError, match="from 0"):
        Parameters(dry_wet=dry_wet)
