"""What every plan can do."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from unmask.tokens.format import Ints
from unmask.tokens.plan_names import PlanName
from unmask.tokens.plans.blocks import Blocks

Report = dict[str, int | float]


class Plan(Protocol):
    """The blocks of one split, numbered from 0 to count - 1, each at most `length` tokens."""

    length: int
    count: int
    lengths_B: npt.NDArray[np.uint32]
    """Tokens of every block, special tokens included."""
    balanced: bool
    """Blocks are short by their nature, so a batch holds more of them, for as many tokens."""

    def read(self, block_B: Ints) -> Blocks:
        """Read blocks by number, in the order given."""

    def report(self) -> Report:
        """Counts for manifests and logs; the shares are of blocks, or of their places."""


def totals(plan: Plan) -> Report:
    """The counts that every plan reports."""
    tokens = int(plan.lengths_B.sum(dtype=np.int64))
    return {
        "blocks": plan.count,
        "tokens": tokens,
        "padding_share": 1 - tokens / (plan.count * plan.length) if plan.count else 0.0,
    }


def said(name: PlanName, length: int, report: Mapping[str, int | float]) -> str:
    """Put a report into one line."""
    shares = (
        f"{value:.1%} {key.removesuffix('_share')}"
        for key, value in report.items()
        if key.endswith("_share")
    )
    counts = (
        f"{value:,} {key.replace('_', ' ')}"
        for key, value in report.items()
        if not key.endswith("_share")
    )
    return f"{name}, length {length}: {', '.join([*counts, *shares])}"
