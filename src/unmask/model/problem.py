"""What a sequence classifier tells."""

from typing import Literal, TypeAlias

Problem: TypeAlias = Literal[
    "single_label_classification", "multi_label_classification", "regression"
]
"""One class, any number of classes, or a number: `problem_type` in transformers' config.json."""


def default_problem(labels: tuple[str, ...]) -> Problem:
    """What transformers takes where config.json names none: a single label is a number."""
    return "regression" if len(labels) == 1 else "single_label_classification"
