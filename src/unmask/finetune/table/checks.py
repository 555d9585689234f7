"""Training data from which nothing can be learnt."""

from collections.abc import Sequence
from pathlib import Path

from unmask.core.errors import UserError
from unmask.finetune.table.rows import Row


def require_classes(rows: Sequence[Row[str]], path: Path) -> None:
    """UserError if all rows have the same label."""
    labels = {row.label for row in rows}
    if len(labels) == 1:
        raise UserError(
            f"{path}: all {len(rows):,} rows have the label {labels.pop()!r}",
            "give rows of two classes or more, or name the right column with --columns.label",
        )


def require_labels(rows: Sequence[Row[tuple[str, ...]]], path: Path) -> None:
    """UserError if no row has any label."""
    if not any(row.label for row in rows):
        raise UserError(
            f"{path}: none of the {len(rows):,} rows has a label",
            "name the right column with --columns.label",
        )


def require_spread(rows: Sequence[Row[float]], path: Path) -> None:
    """UserError if all rows have the same number."""
    numbers = {row.label for row in rows}
    if len(numbers) == 1:
        raise UserError(
            f"{path}: all {len(rows):,} rows have the number {numbers.pop():g}",
            "give rows that differ, or name the right column with --columns.label",
        )
