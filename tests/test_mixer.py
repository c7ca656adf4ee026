"""The mixer gives restored sound where it is there in time, else the dry one, without a click or a shift."""

import numpy as np

from realtime.continuation import Continuation
from realtime.mailbox import Mailbox
from realtime.messages import Parameters
from realtime.mixer import BLOCK_FRAMES, SPARE_FRAMES, Delay, Mix, Mixer
from realtime.ring import Ring, Samples
from tests.signals import cut, tone

DELAY = Delay(latency_frames=5 * BLOCK_FRAMES, headroom_frames=SPARE_FRAMES + BLOCK_FRAMES)
SOUND = tone(300 * BLOCK_FRAMES, hz=60.0)
LATE = np.concatenate([np.zeros(DELAY.frames, np.float32), SOUND])[: len(SOUND)]
STEEPEST = np.abs(np.diff(SOUND)).max()


class Session:
    """Restored is inverted, and there as soon as captured, except where the restorer is away."""

    def __init__(self) -> None:
        self.noisy, self.restored = Ring(len(SOUND)), Ring(len(SOUND))
        self.continuations = Mailbox(Continuation())
        self.mixer = Mixer(self.noisy, self.restored, self.continuations)
        self.mixer.delay = DELAY

    def run(self, away: range = range(0), muted: range = range(0), behind_frames: int = 0) -> list[Mix]:
        mixes = []
        inverted = np.concatenate([np.zeros(DELAY.latency_frames, np.float32), -SOUND])
        for number, block in enumerate(cut(SOUND, [BLOCK_FRAMES])):
            self.mixer.parameters = Parameters(mute=number in muted)
            self.noisy.write(block)
            if number not in away:
                done = max(self.noisy.written - behind_frames, 0)
                self.restored.write(inverted[self.restored.written : done])
            mix = self.mixer.mix()
            assert mix is not None
            mixes.append(mix)
        return mixes


def output(mixes: list[Mix]) -> Samples:
    return np.concatenate([mix.output for mix in mixes])


def test_restored_sound_is_as_late_as_the_delay_says_and_fades_in() -> None:
    session = Session()
    mixes = session.run()
    start = DELAY.frames + BLOCK_FRAMES
    np.testing.assert_allclose(output(mixes)[start:], -LATE[start:], atol=1e-6)
    dry = np.concatenate([mix.dry for mix in mixes])
    np.testing.assert_array_equal(dry[BLOCK_FRAMES:], LATE[BLOCK_FRAMES:])  # the delay was set in the first
    assert session.mixer.dropouts == 0
    assert session.mixer.is_restoring
    assert session.mixer.mix() is None


def test_a_restorer_that_takes_the_time_it_is_given_loses_nothing_from_the_first_block_on() -> None:
    session = Session()
    mixes = session.run(behind_frames=DELAY.headroom_frames - 2 * BLOCK_FRAMES)
    start = DELAY.frames + BLOCK_FRAMES
    np.testing.assert_allclose(output(mixes)[start:], -LATE[start:], atol=1e-6)
    assert session.mixer.dropouts == 0


def test_a_restorer_that_goes_and_comes_back_is_replaced_by_the_dry_sound_without_a_click() -> None:
    session = Session()
    mixes = session.run(away=range(100, 200))
    out = output(mixes)
    dry = slice(104 * BLOCK_FRAMES, 200 * BLOCK_FRAMES)
    np.testing.assert_allclose(out[dry], LATE[dry], atol=1e-6)
    np.testing.assert_allclose(out[210 * BLOCK_FRAMES :], -LATE[210 * BLOCK_FRAMES :], atol=1e-6)
    assert np.abs(np.diff(out)).max() < STEEPEST + 2 * 0.5 / BLOCK_FRAMES
    assert 90 < session.mixer.dropouts < 101


def test_dry_sound_counts_as_dropouts_only_while_the_restored_one_is_awaited() -> None:
    session = Session()
    session.mixer.is_awaiting = False
    session.run(away=range(100))
    assert not session.mixer.dropouts


def test_a_new_restorer_counts_once_its_own_sound_is_there() -> None:
    session = Session()
    session.run()
    session.restored.restart(session.noisy.written)
    session.noisy.write(SOUND[:BLOCK_FRAMES])
    session.restored.write(SOUND[:BLOCK_FRAMES])
    mix = session.mixer.mix()
    assert mix is not None
    assert not session.mixer.is_restoring
    np.testing.assert_array_equal(mix.restored, mix.dry)


def test_another_delay_is_faded_to() -> None:
    session = Session()
    session.run(away=range(300))
    session.mixer.delay = Delay(DELAY.latency_frames + 1000, DELAY.headroom_frames)
    before = session.noisy.read(session.mixer.position - DELAY.frames - 1, 1)
    session.noisy.write(np.zeros(BLOCK_FRAMES, np.float32))
    mix = session.mixer.mix()
    assert mix is not None
    joined = np.concatenate([before, mix.output])
    assert np.abs(np.diff(joined)).max() < STEEPEST + 1.0 / BLOCK_FRAMES


def test_muting_silences_the_dry_sound_too() -> None:
    out = output(Session().run(away=range(300), muted=range(100, 200)))
    assert not out[105 * BLOCK_FRAMES : 200 * BLOCK_FRAMES].any()
    assert np.abs(out[90 * BLOCK_FRAMES : 100 * BLOCK_FRAMES]).max() > 0.1
    assert np.abs(np.diff(out)).max() < 2 * STEEPEST


def test_what_begins_muted_lets_nothing_through() -> None:
    session = Session()
    muted = Parameters(mute=True)
    session.mixer = Mixer(session.noisy, session.restored, session.continuations, muted)
    assert not output(session.run(muted=range(1000))).any()


def test_nothing_is_ever_louder_than_full_scale() -> None:
    session = Session()
    session.noisy.write(10 * SOUND[: 100 * BLOCK_FRAMES])
    while (mix := session.mixer.mix()) is not None:
        assert np.abs(mix.output).max() <= 1.0
