"""Sound that comes too late is bridged by what was expected, without a gap, a click or a repetition."""

from itertools import pairwise

import numpy as np
import soundfile

from model.bundle import bundle_folder
from model.masksr import MaskSR
from presets.preset import load_preset
from realtime.continuation import LONGEST_FRAMES, Continuation, RestoredSound
from realtime.demo import SAMPLE
from realtime.mailbox import Mailbox
from realtime.ring import Ring, Samples
from tests.signals import tone, windows

BLOCK = 256
SOUND = tone(100 * BLOCK, hz=60.0)
STEEPEST = np.abs(np.diff(SOUND)).max()
KNOWN = 10 * BLOCK + 100  # what is restored when the restorer pauses


class Session:
    """A restorer that pauses after `KNOWN` samples and expected that half as loud a sound would follow."""

    def __init__(self) -> None:
        self.ring = Ring(len(SOUND))
        self.ring.write(SOUND[:KNOWN])
        begin = KNOWN - BLOCK
        expected = np.append(SOUND[begin:KNOWN], 0.5 * SOUND[KNOWN : KNOWN + 8 * BLOCK])
        self.continuations = Mailbox(Continuation(begin, expected))
        self.sound = RestoredSound(self.ring, self.continuations)

    def read(self, blocks: range) -> Samples:
        assert all(self.sound.has(block * BLOCK, BLOCK) for block in blocks)
        return np.concatenate([self.sound.read(block * BLOCK, BLOCK) for block in blocks])


def test_what_is_there_is_heard_whatever_was_expected() -> None:
    session = Session()
    np.testing.assert_array_equal(session.read(range(10)), SOUND[: 10 * BLOCK])
    assert session.sound.bridged == 0


def test_what_was_expected_goes_on_from_the_very_sample_at_which_the_restorer_paused() -> None:
    session = Session()
    heard = session.read(range(18))
    np.testing.assert_array_equal(heard[:KNOWN], SOUND[:KNOWN])
    np.testing.assert_array_equal(heard[KNOWN:], 0.5 * SOUND[KNOWN : len(heard)])
    assert session.sound.bridged == 8


def test_it_fades_into_what_is_there_again() -> None:
    session = Session()
    before = session.read(range(14))
    session.ring.write(SOUND[KNOWN:])
    heard = np.append(before, session.read(range(14, 20)))
    assert np.abs(np.diff(heard[KNOWN + 1 :])).max() < STEEPEST + 0.25 / BLOCK + 1e-6
    np.testing.assert_array_equal(heard[15 * BLOCK :], SOUND[15 * BLOCK : 20 * BLOCK])


def test_a_newer_expectation_is_faded_to_as_well() -> None:
    session = Session()
    before = session.read(range(14))
    session.continuations.put(Continuation(KNOWN - BLOCK, SOUND[KNOWN - BLOCK : KNOWN + 20 * BLOCK]))
    heard = np.append(before, session.read(range(14, 20)))
    assert np.abs(np.diff(heard[KNOWN + 1 :])).max() < STEEPEST + 0.25 / BLOCK + 1e-6
    np.testing.assert_array_equal(heard[15 * BLOCK :], SOUND[15 * BLOCK : 20 * BLOCK])


def test_nothing_is_made_up_beyond_what_was_expected() -> None:
    sound = Session().sound
    end = KNOWN + 8 * BLOCK
    assert sound.has(end - BLOCK, BLOCK)
    assert not sound.has(end - BLOCK + 1, BLOCK)


def test_what_an_earlier_stream_expected_is_of_no_use_to_a_new_one() -> None:
    session = Session()
    session.ring.restart(KNOWN)
    assert not session.sound.has(KNOWN, BLOCK)


def test_the_longest_one_fits_where_it_is_told() -> None:
    told = Mailbox(Continuation())
    told.put(Continuation(1, SOUND[:LONGEST_FRAMES]))
    np.testing.assert_array_equal(told.get().samples, SOUND[:LONGEST_FRAMES])


def test_what_the_model_expects_is_close_to_what_it_then_restores() -> None:
    plan = load_preset("cpu").plan
    sound = soundfile.read(SAMPLE, frames=4 * 44_100, dtype="float32")[0]
    stream = MaskSR.load(bundle_folder("compact")).stream(plan, passes=1, temperature=0.0)
    hops = [stream.restore_window(window) for window in windows(sound, plan)]
    ahead = np.concatenate([hop[plan.hop_samples :] for hop in hops[:-1]])
    then = np.concatenate([hop[: plan.lookahead_samples] for hop in hops[1:]])
    dry = np.concatenate([w[-plan.lookahead_samples :] for w, _ in pairwise(windows(sound, plan))])
    assert plan.lookahead_samples == plan.hop_samples
    assert _power(then - ahead) < 0.2 * _power(then) < 0.2 * _power(then - dry)


def _power(sound: Samples) -> float:
    return float(np.mean(np.square(sound)))
