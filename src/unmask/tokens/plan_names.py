"""The input formats, by the names they have in flags and manifests."""

from typing import Literal

PlanName = Literal[
    "full-sentences", "doc-sentences", "segment-pair", "sentence-pair", "none", "line", "hf"
]
PLAN_NAMES: tuple[PlanName, ...] = (
    "full-sentences",
    "doc-sentences",
    "segment-pair",
    "sentence-pair",
    "none",
    "line",
    "hf",
)
SHORTEST = 8
"""Tokens: a pair of sentences needs four for its special tokens alone."""
