"""The fields of a record as what they have to be; UserError names the field and the place."""

import math
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

from unmask.core.errors import UserError
from unmask.finetune.table.records import Record


def value(record: Record, name: str, place: str) -> Any:  # noqa: ANN401 (as JSON has it)
    """Take a field that has to be there."""
    if name not in record:
        there = ", ".join(map(repr, record)) or "nothing"
        raise UserError(
            f"{place}: no {name!r}; there is {there}", "is this the file that is meant?"
        )
    return record[name]


def text(record: Record, name: str, place: str) -> str:
    """Take a field that is text, not empty."""
    return a_text(value(record, name, place), f"{place}: {name!r}")


def items(record: Record, name: str, place: str) -> list[Any]:
    """Take a field that is a list."""
    return a_list(value(record, name, place), f"{place}: {name!r}")


def options(found: Sequence[object], place: str) -> tuple[str, ...]:
    """Take two or more options, none of them empty."""
    if len(found) < 2:
        raise UserError(
            f"{place}: a choice needs two options, it has {len(found)}", "give them all"
        )
    return tuple(
        a_text(option, f"{place}: option {number}") for number, option in enumerate(found, start=1)
    )


def a_text(found: object, what: str) -> str:
    """Take a value that is text, not empty; a number is the text that it is written as."""
    if isinstance(found, int | float) and not isinstance(found, bool) and not math.isnan(found):
        return str(found)
    if _is_empty(found):
        raise UserError(f"{what} is empty", "fill it or leave out the question")
    if not isinstance(found, str):
        raise UserError(f"{what} is {type(found).__name__}, not text", "put text there")
    return found


def a_list(found: object, what: str) -> list[Any]:
    """Take a value that is a list."""
    if not isinstance(found, list):
        raise UserError(f"{what} is {type(found).__name__}, not a list", "put a list there")
    return found


def letter(answer: object, count: int, place: str) -> int:
    """Number the option that a letter names: A is 0; UserError beyond the last option."""
    known = list(ascii_uppercase[:count])
    if answer not in known:
        raise UserError(
            f"{place}: the answer {answer!r} is none of {known[0]} to {known[-1]} "
            f"({count} options)",
            "put right the answer or the options",
        )
    return known.index(str(answer))


def number(answer: object, first: int, count: int, place: str) -> int:
    """Number the option that a number counted from `first` names; UserError beyond the last."""
    known = [str(first + index) for index in range(count)]
    if str(answer).strip() not in known:
        raise UserError(
            f"{place}: the answer {answer!r} is none of {known[0]} to {known[-1]} "
            f"({count} options)",
            "put right the answer, or whether answers are counted from 0, from 1 or are letters",
        )
    return known.index(str(answer).strip())


def _is_empty(found: object) -> bool:
    """NaN is how data frames write a missing cell."""
    if isinstance(found, float):
        return math.isnan(found)
    return found is None or (isinstance(found, str) and not found.strip())
