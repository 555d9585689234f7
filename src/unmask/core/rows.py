"""Rows of `metrics.jsonl`, and the numbers in them by name."""

from collections.abc import Iterator, Mapping
from typing import Any

PLACE = ("kind", "step", "time")
"""What says where a row belongs and is no measurement."""


def numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield every measurement with its name: `loss`, `seconds/data`, `kurtosis/03`.

    Words, and what was not measured (null), are left out.
    """
    for name, value in row.items():
        if name not in PLACE:
            yield from _below(name, value)


def _below(name: str, value: Any) -> Iterator[tuple[str, float]]:  # noqa: ANN401
    match value:
        case bool() | str() | None:
            return
        case Mapping():
            for key, item in value.items():
                yield from _below(f"{name}/{key}", item)
        case list():
            for number, item in enumerate(value):
                yield from _below(f"{name}/{number:02}", item)
        case _:
            yield name, float(value)
