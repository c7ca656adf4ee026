"""What is done about each hop when the machine is busy: fewer passes, in the end none, and back again."""

from math import inf

from model.translation import _, ngettext

FIRST_WAIT_SECONDS = 0.5  # how long a rung has to hold before the next higher one is tried
LAST_WAIT_SECONDS = 2.0  # the same, where the higher one failed again and again


class Ladder:
    """Chooses the sampling passes of each hop: all that are `wanted`, then half as many and so on to none.

    It goes down at once when a hop took longer than `budget_seconds`, as far as the load asks for, and up a
    rung at a time. A single hop may take `spare_seconds` more: that is a pause of the machine, and no load.
    A rung that fails soon after it was climbed to is waited for twice as long; one that holds, half as long.
    It has no clock: time passes with the hops, of `hop_seconds` each.
    """

    def __init__(self, wanted: int, hop_seconds: float) -> None:
        self.budget_seconds = inf  # files are not in a hurry
        self.spare_seconds = 0.0
        self._hop_seconds = hop_seconds
        self.wanted = wanted

    @property
    def wanted(self) -> int:
        return self._wanted

    @wanted.setter
    def wanted(self, passes: int) -> None:
        self._wanted = passes
        self.reset()

    def reset(self) -> None:
        """Start at the top, with all bad experience forgotten."""
        self.passes = self.wanted
        self._held_seconds, self._wait_seconds, self._has_climbed = 0.0, FIRST_WAIT_SECONDS, False
        self._has_paused = False  # the newest hop that was restored took longer than the budget

    @property
    def rung(self) -> str:
        """Where the ladder stands, for the user."""
        if self.passes == self.wanted:
            return ngettext("the one pass", "all {count} passes", self.wanted)
        if self.passes == 0:
            return _("unrestored, because the computer is too busy")
        return ngettext(
            "{now} of {count} pass, because the computer is busy",
            "{now} of {count} passes, because the computer is busy",
            self.wanted,
            now=self.passes,
        )

    def next_passes(self, compute_seconds: float, behind_seconds: float) -> int:
        """The passes for the next hop; 0 lets it through unrestored.

        Args:
            compute_seconds: what the hop before took; 0 when it went through unrestored.
            behind_seconds: how long ago the next hop was due; negative while there is time. One that is
                late already goes through unrestored, whatever the rung, so that the delay does not grow.
        """
        spare_seconds = 0.0 if self._has_paused else self.spare_seconds
        if compute_seconds > 0.0:
            self._has_paused = compute_seconds > self.budget_seconds
        if compute_seconds > self.budget_seconds + spare_seconds:
            self._go_down(compute_seconds)
        elif behind_seconds <= 0.0:
            self._hold()
        return self.passes if behind_seconds <= 0.0 else 0

    def _go_down(self, compute_seconds: float) -> None:
        seconds_per_pass = compute_seconds / self.passes
        self.passes //= 2
        while self.passes * seconds_per_pass > self.budget_seconds:
            self.passes //= 2
        if self._has_climbed:
            self._wait_seconds = min(2 * self._wait_seconds, LAST_WAIT_SECONDS)
        self._held_seconds, self._has_climbed = 0.0, False

    def _hold(self) -> None:
        self._held_seconds += self._hop_seconds
        if self._held_seconds < self._wait_seconds:
            return
        if self._has_climbed:
            self._wait_seconds = max(self._wait_seconds / 2, FIRST_WAIT_SECONDS)
        self._held_seconds, self._has_climbed = 0.0, self.passes < self.wanted
        self.passes = min(max(2 * self.passes, 1), self.wanted)
