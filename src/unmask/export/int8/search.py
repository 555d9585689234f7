"""Which layers go back to float so that the score holds."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.export.int8.plan import Quantised

Plan = Mapping[str, Quantised]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What the search must hold."""

    max_drop: float
    """Points of the metric."""
    least_share: float
    """Share of the matrix products that stay in 8 bits."""
    metric: str

    def hold(self, drop: float) -> bool:
        """Whether so many points may be lost; what is no number never holds."""
        return drop <= self.max_drop


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """The layers that stay in 8 bits, and what that costs."""

    plan: Plan
    put_back: tuple[str, ...]
    """The worst layers, in float again."""
    share: float
    """Of the matrix products, those in 8 bits."""
    drop: float
    """Points of the metric that are lost; negative where they are gained."""


def search(
    plan: Plan,
    worst_first: Sequence[str],
    works: Mapping[str, int],
    drop_of: Callable[[Plan], float],
    limits: Limits,
) -> Found:
    """Put back as few of the worst layers as let the score hold.

    Their number is doubled until it holds, up to as many as the least share in 8 bits leaves, and
    then narrowed down between the last two: some ten trials for a model of any depth. `works` are
    the multiplications of each layer. UserError if the score does not hold with any of them.
    """
    drops: dict[int, float] = {}
    shares = _shares(worst_first, works)
    most = max(count for count, share in enumerate(shares) if share >= limits.least_share)

    def tried(count: int) -> Found:
        back = tuple(worst_first[:count])
        kept = {site: how for site, how in plan.items() if site not in back}
        if count not in drops:
            drops[count] = drop_of(kept)
            say(
                f"{len(kept)} of {len(plan)} layers in 8 bits: "
                f"{limits.metric} {-drops[count]:+z.2f} points"
            )
        return Found(kept, back, shares[count], drops[count])

    failing, holding = -1, 0
    while not limits.hold(tried(holding).drop):
        if holding == most:
            raise _cannot_hold(limits, drops)
        failing, holding = holding, min(2 * holding or 1, most)
    while holding - failing > 1:
        middle = (failing + holding) // 2
        if limits.hold(tried(middle).drop):
            holding = middle
        else:
            failing = middle
    return tried(holding)


def _shares(worst_first: Sequence[str], works: Mapping[str, int]) -> list[float]:
    """What stays in 8 bits of the matrix products, by how many of the worst layers go back."""
    back = accumulate((works[site] for site in worst_first), initial=0)
    whole = sum(works.values())
    return [(whole - one) / whole for one in back]


def _cannot_hold(limits: Limits, drops: Mapping[int, float]) -> UserError:
    count = max(drops)
    return UserError(
        f"the 8-bit model loses {drops[count]:.2f} points of {limits.metric} even with its "
        f"{count} worst layers put back, more than --max-drop {limits.max_drop:g}; nothing was "
        "written",
        "try --int8.range mse, other calibration data, --to openvino --precision bf16, or allow a "
        "larger drop",
    )
