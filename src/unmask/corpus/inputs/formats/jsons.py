"""JSON: one object a line (.jsonl, and .json as most large corpora use it), or one list of them."""

import itertools
import json
import reprlib
from collections.abc import Iterable, Iterator
from typing import Any

from unmask.core.errors import UserError
from unmask.corpus.inputs.formats import cuts
from unmask.corpus.inputs.formats.entries import Entry, Unit, Where, require


def json_lines(
    lines: Iterable[str], where: Where, column: str, *, first: int = 1
) -> Iterator[Entry]:
    """Yield a row for each line that is not blank; `first` is the number of the first line."""
    for number, line in enumerate(lines, start=first):
        if not line.isspace():
            row = _parsed(line, "line", number, where, "each line is one JSON object")
            yield _entry(row, "line", number, where, column)


def json_file(lines: Iterable[str], where: Where, column: str) -> Iterator[Entry]:
    """Yield the objects of a list, which is held in memory, or else those of the lines."""
    rest = iter(lines)
    for number, line in enumerate(rest, start=1):
        if line.lstrip().startswith("["):
            yield from _json_list(itertools.chain([line], rest), where, column)
        elif not line.isspace():
            both = itertools.chain([line], rest)
            yield from json_lines(both, where, column, first=number)


def _json_list(lines: Iterable[str], where: Where, column: str) -> Iterator[Entry]:
    parts: list[str] = []
    characters = 0
    for line in lines:
        parts.append(line)
        characters += len(line)
        if characters > cuts.LONGEST:
            raise UserError(
                f"{where('item', 1)}: a JSON list of over {cuts.LONGEST:,} characters",
                "write one object a line: jq -c '.[]' FILE.json > FILE.jsonl",
            )
    rows = _parsed("".join(parts), "item", 1, where, "a .json file is one list of objects")
    for number, row in enumerate(rows, start=1):
        yield _entry(row, "item", number, where, column)


def _parsed(text: str, unit: Unit, number: int, where: Where, hint: str) -> Any:  # noqa: ANN401 (any JSON)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", error)
        nul = "; there are NUL characters, as a crash or a wrong --encoding leaves them"
        raise UserError(
            f"{where(unit, number)}: not valid JSON ({reason})",
            hint + (nul if "\0" in text else ""),
        ) from None


def _entry(row: object, unit: Unit, number: int, where: Where, column: str) -> Entry:
    if not isinstance(row, dict):
        raise UserError(
            f"{where(unit, number)}: {reprlib.repr(row)} is no JSON object",
            f'write an object such as {{"{column}": "..."}}',
        )
    if column not in row:
        require(column, row, where(unit, number))
    return Entry(unit, number, row[column])
