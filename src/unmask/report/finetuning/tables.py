"""Scores by class and by setting, as tables."""

from collections.abc import Mapping, Sequence

import numpy as np

from unmask.report import scale
from unmask.report.finetuning.dots import Setting
from unmask.report.section import Row, Table

SUPPORT = "support"
"""How many examples a class has."""


def by_label(per_label: Mapping[str, Mapping[str, float]]) -> Table:
    """Scores of each class, and their means: plain (macro), and weighted by support."""
    names = list(dict.fromkeys(name for scores in per_label.values() for name in scores))
    shares = [name for name in names if name != SUPPORT]
    rows = [
        (label, *(_cell(scores.get(name), name) for name in names))
        for label, scores in per_label.items()
    ]
    if len(per_label) > 1 and SUPPORT in names:
        rows = [*_means(per_label, shares, names), *rows]
    return Table(("label", *names), tuple(rows))


def by_setting(settings: Mapping[str, Sequence[Setting]]) -> Table:
    """The spread of every score over the runs of each setting."""
    head = ("setting", "score", "runs", "median", "lowest", "highest", "95 % interval of the mean")
    rows = []
    for score, found in settings.items():
        for one in found:
            spread = one.spread
            numbers = (spread.median, spread.minimum, spread.maximum)
            words = (scale.said(number) for number in numbers)
            rows.append((one.name, score, f"{spread.runs}", *words, interval(one)))
    return Table(head, tuple(rows))


def interval(one: Setting) -> str:
    """The confidence interval of the mean; nothing for a single run."""
    low, high = one.spread.low, one.spread.high
    return "" if low is None or high is None else f"{scale.said(low)} to {scale.said(high)}"


def _means(
    per_label: Mapping[str, Mapping[str, float]], shares: Sequence[str], names: Sequence[str]
) -> list[Row]:
    support = np.array([scores.get(SUPPORT, 0) for scores in per_label.values()])
    whole = f"{support.sum():,.0f}"
    rows = []
    for title, weights in (("macro mean", np.ones_like(support)), ("weighted mean", support)):
        means = {
            name: np.average(
                [scores.get(name, 0) for scores in per_label.values()], weights=weights
            )
            for name in shares
            if weights.sum()
        }
        cells = (whole if name == SUPPORT else _cell(means.get(name), name) for name in names)
        rows.append((title, *cells))
    return rows


def _cell(value: float | None, name: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if name == SUPPORT else f"{value:.4f}"
