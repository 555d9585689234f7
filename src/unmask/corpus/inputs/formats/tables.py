"""CSV as RFC 4180 and Python write it, and TSV, in which a quote is a letter."""

import csv
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from unmask.core.errors import UserError
from unmask.corpus.inputs.formats.entries import Entry, Where, require

if TYPE_CHECKING:
    from _csv import Reader


def comma_separated(lines: Iterable[str], where: Where, name: str, column: str) -> Iterator[Entry]:
    """Yield the rows below the header; UserError for a malformed one."""
    return _table(csv.reader(lines, strict=True), where, name, column)


def tab_separated(lines: Iterable[str], where: Where, name: str, column: str) -> Iterator[Entry]:
    """Yield the rows below the header; UserError for a malformed one."""
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return _table(rows, where, name, column)


def _table(rows: "Reader", where: Where, name: str, column: str) -> Iterator[Entry]:
    csv.field_size_limit(sys.maxsize)
    try:
        header = next(rows, None)
        if header is None:
            return
        require(column, header, name)
        index, start = header.index(column), rows.line_num + 1
        for row in rows:
            number, start = start, rows.line_num + 1
            if row and len(row) != len(header):
                raise UserError(
                    f"{where('line', number)}: {len(row)} cells where the header has {len(header)}",
                    "quote .csv cells that hold commas; a .tsv cell holds no tab and no line end",
                )
            if row:
                yield Entry("line", number, row[index])
    except csv.Error as error:
        raise UserError(
            f"{where('line', rows.line_num)}: not valid CSV ({error})", "mend the quotes there"
        ) from None
