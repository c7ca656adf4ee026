"""Under any load the stream stays whole and its delay the same; quality gives way and comes back."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from model.plan import SAMPLE_RATE_HZ, WindowPlan
from realtime.continuation import Continuation
from realtime.ladder import LAST_WAIT_SECONDS, Ladder
from realtime.mailbox import Mailbox
from realtime.mixer import BLOCK_FRAMES, SPARE_FRAMES, Delay, Mixer
from realtime.passthrough import PassThrough
from realtime.processor import StreamProcessor
from realtime.restoration import Restoration
from realtime.ring import Ring, Samples
from tests.signals import tone

PLAN = WindowPlan(context_frames=3, hop_frames=8, lookahead_frames=4, fade_samples=512)
HOP_SECONDS = PLAN.hop_samples / SAMPLE_RATE_HZ
BLOCK_SECONDS = BLOCK_FRAMES / SAMPLE_RATE_HZ
PASSES = 8
BUDGET_SECONDS = 0.5 * HOP_SECONDS


def ladder(wanted: int = PASSES) -> Ladder:
    steps = Ladder(wanted, HOP_SECONDS)
    steps.budget_seconds = BUDGET_SECONDS
    return steps


def climb(steps: Ladder, seconds: float) -> list[int]:
    """The passes of the hops of `seconds` in which computing takes next to no time."""
    return [steps.next_passes(0.01 * HOP_SECONDS, -0.1) for _ in range(round(seconds / HOP_SECONDS))]


@pytest.mark.parametrize(("share_of_budget", "passes"), [(0.99, 8), (1.5, 4), (3.0, 2), (7.0, 1), (20.0, 0)])
def test_it_goes_down_at_once_as_far_as_the_load_asks_for(share_of_budget: float, passes: int) -> None:
    assert ladder().next_passes(share_of_budget * BUDGET_SECONDS, -0.1) == passes


def test_it_goes_down_to_none_rung_by_rung_when_fewer_passes_do_not_help() -> None:
    steps = ladder(6)
    assert [steps.next_passes(1.01 * BUDGET_SECONDS, -0.1) for _ in range(3)] == [3, 1, 0]


def test_it_comes_back_a_rung_at_a_time() -> None:
    steps = ladder(6)
    steps.next_passes(100.0, -0.1)
    passes = climb(steps, 4.0)
    assert sorted(set(passes)) == [0, 1, 2, 4, 6]
    assert passes == sorted(passes)


def test_a_hop_that_is_late_already_goes_through_unrestored_and_the_next_one_is_not() -> None:
    steps = ladder()
    assert [steps.next_passes(0.01, behind) for behind in (0.2, 0.1, 0.0)] == [0, 0, PASSES]


def test_a_rung_that_keeps_failing_is_tried_ever_less_often() -> None:
    steps, tries = ladder(), []
    for hop in range(round(40.0 / HOP_SECONDS)):
        too_much = steps.passes > 2
        tries += [hop] * too_much
        steps.next_passes((1.5 if too_much else 0.7) * BUDGET_SECONDS, -0.1)
    waited_hops = [later - earlier for earlier, later in pairwise(tries[1:])]
    assert waited_hops == sorted(waited_hops)
    assert LAST_WAIT_SECONDS <= waited_hops[-1] * HOP_SECONDS < LAST_WAIT_SECONDS + 3 * HOP_SECONDS


def test_a_single_pause_is_no_load_as_long_as_what_was_expected_bridges_it() -> None:
    steps = ladder()
    steps.spare_seconds = BUDGET_SECONDS
    paused, usual, dry, too_long = 1.9 * BUDGET_SECONDS, 0.5 * BUDGET_SECONDS, 0.0, 2.1 * BUDGET_SECONDS
    assert [steps.next_passes(seconds, -0.1) for seconds in (paused, usual, paused, dry)] == 4 * [PASSES]
    assert steps.next_passes(paused, -0.1) < PASSES
    steps.reset()
    assert steps.next_passes(too_long, -0.1) < PASSES


def test_new_wishes_count_at_once() -> None:
    steps = ladder()
    steps.next_passes(100.0, -0.1)
    steps.wanted = 3
    assert steps.next_passes(0.0, -0.1) == 3


def test_the_rung_is_told_in_words() -> None:
    steps = ladder()
    assert steps.rung == "all 8 passes"
    assert Ladder(1, HOP_SECONDS).rung == "the one pass"
    steps.next_passes(1.5 * BUDGET_SECONDS, -0.1)
    assert steps.rung == "4 of 8 passes, because the computer is busy"
    steps.next_passes(100.0, -0.1)
    assert steps.rung == "unrestored, because the computer is too busy"


class Simulation:
    """A session in which time passes while hops are computed, and only then.

    Restored is inverted. `load` is what a hop of all passes costs, in hops, as a function of the time.
    """

    def __init__(self, load: Callable[[float], float]) -> None:
        self.now, self.played_seconds = 0.0, 0.0
        self.signal = tone(round(20 * SAMPLE_RATE_HZ), hz=60.0)
        self.played: list[Samples] = []
        self.waiting: list[float] = []
        simulation = self

        class Costly(PassThrough):
            passes = PASSES

            def restore_window(self, noisy: Samples) -> Samples:
                simulation.elapse(load(simulation.now) * HOP_SECONDS * self.passes / PASSES)
                return -super().restore_window(noisy)

        self.processor = StreamProcessor(Costly(PLAN))
        self.processor.prepare(SAMPLE_RATE_HZ, BLOCK_FRAMES)
        self.processor.ladder.budget_seconds = BUDGET_SECONDS
        headroom = round(BUDGET_SECONDS * SAMPLE_RATE_HZ) + SPARE_FRAMES
        self.noisy, restored = Ring(len(self.signal)), Ring(len(self.signal))
        continuations = Mailbox(Continuation())
        self.mixer = Mixer(self.noisy, restored, continuations)
        self.mixer.delay = Delay(self.processor.latency_frames, headroom)
        self.restoration = Restoration(self.processor, self.noisy, restored, continuations, headroom)

    def elapse(self, seconds: float) -> None:
        """The sound device captures and plays on whatever the worker does."""
        self.now += seconds
        while self.played_seconds + BLOCK_SECONDS <= self.now:
            start = len(self.played) * BLOCK_FRAMES
            self.noisy.write(self.signal[start : start + BLOCK_FRAMES])
            mix = self.mixer.mix()
            assert mix is not None
            self.played.append(mix.output)
            self.waiting.append(self.restoration.waiting_frames / SAMPLE_RATE_HZ)
            self.played_seconds += BLOCK_SECONDS

    def run(self) -> tuple[Samples, Samples]:
        """What is played, and what was heard at the instant it is of."""
        while self.now < 18.0:
            if not self.restoration.step():
                self.elapse(BLOCK_SECONDS)
        out = np.concatenate(self.played)
        return out, np.pad(self.signal, (self.mixer.delay.frames, 0))[: len(out)]


LOAD_FROM, LOAD_TO = 3.0, 9.0


@pytest.mark.parametrize("load", [0.5, 1.0, 2.0, 10.0])
def test_under_load_there_is_never_a_gap_or_a_repeated_block_and_the_delay_comes_back(
    load: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Simulation(lambda now: load if LOAD_FROM <= now < LOAD_TO else 0.3)
    monkeypatch.setattr("realtime.processor.perf_counter", lambda: session.now)
    out, heard = session.run()

    restored, dry = (np.isclose(out, sign * heard, atol=1e-5) for sign in (-1, 1))
    assert np.abs(np.diff(out)).max() < 5 * np.abs(np.diff(session.signal)).max()  # joins do not click
    known = np.flatnonzero(restored | dry)
    longest_join = 2 * BLOCK_FRAMES + PLAN.fade_samples
    assert np.diff(known).max() <= longest_join  # never another instant, never nothing
    before, after = round(LOAD_FROM * SAMPLE_RATE_HZ), round(15.0 * SAMPLE_RATE_HZ)
    skip = session.mixer.delay.frames + 2 * BLOCK_FRAMES  # fades in
    assert restored[skip:before].all()
    assert restored[after:].all()
    calm = round((LOAD_TO + 2.0) / BLOCK_SECONDS)
    assert max(session.waiting[calm:]) <= session.mixer.delay.headroom_frames / SAMPLE_RATE_HZ
    if load == 10.0:
        loaded = slice(before + skip, round(LOAD_TO * SAMPLE_RATE_HZ))
        assert dry[loaded].mean() > 0.9
    assert session.processor.ladder.passes == PASSES


def test_a_pause_of_the_machine_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Simulation(lambda now: 0.85 if LOAD_FROM <= now < LOAD_FROM + HOP_SECONDS else 0.3)
    monkeypatch.setattr("realtime.processor.perf_counter", lambda: session.now)
    out, heard = session.run()
    skip = session.mixer.delay.frames + 2 * BLOCK_FRAMES  # fades in
    np.testing.assert_allclose(out[skip:], -heard[skip:], atol=1e-5)
    assert 0 < session.mixer.bridged <= PLAN.lookahead_samples / BLOCK_FRAMES
    assert (session.mixer.dropouts, session.processor.stats.dry_hops) == (0, 0)


def test_a_machine_that_is_busy_from_the_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Simulation(lambda now: 10.0 if now < LOAD_TO else 0.3)
    monkeypatch.setattr("realtime.processor.perf_counter", lambda: session.now)
    out, heard = session.run()
    late = slice(round(15.0 * SAMPLE_RATE_HZ), None)
    np.testing.assert_allclose(out[late], -heard[late], atol=1e-5)
