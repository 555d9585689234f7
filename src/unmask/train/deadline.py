"""How many steps there will be, where the time is given instead of their number."""

import time
from typing import Any

SHARE = 0.1
"""Weight of the newest speed in the running one."""
EARLY = 16
"""Until this step, the speed is taken anew at every power of two."""


class Deadline:
    """Estimates the last step from the speed so far; standing still between runs costs nothing."""

    def __init__(self, hours: float) -> None:
        self._budget_s = hours * 3600
        self._spent_s, self._seconds_a_step = 0.0, 0.0
        self._step, self._since = 0, time.monotonic()

    def due(self, step: int, log_every: int) -> bool:
        """Whether it is time for another estimate."""
        early = 0 < step <= EARLY and step & (step - 1) == 0
        return early or step % log_every == 0

    def estimate(self, step: int) -> int:
        """How many steps there will be in all, after `step` of them; never fewer than those."""
        now = time.monotonic()
        elapsed_s, steps = now - self._since, step - self._step
        self._spent_s += elapsed_s
        self._since, self._step = now, step
        if steps > 0:
            newest = elapsed_s / steps
            share = 1.0 if step <= EARLY else SHARE
            self._seconds_a_step += share * (newest - self._seconds_a_step)
        left_s = max(0.0, self._budget_s - self._spent_s)
        if not self._seconds_a_step:
            return step + 1
        return step + int(left_s / self._seconds_a_step)

    def state(self) -> dict[str, float]:
        """What has been spent until now, and how fast it went."""
        spent_s = self._spent_s + time.monotonic() - self._since
        return {"spent_s": spent_s, "seconds_a_step": self._seconds_a_step}

    def restore(self, state: dict[str, Any], step: int) -> None:
        """Go on from a saved state: the clock starts again now."""
        self._spent_s, self._seconds_a_step = state["spent_s"], state["seconds_a_step"]
        self._step, self._since = step, time.monotonic()
