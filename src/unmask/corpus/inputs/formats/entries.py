"""What every format gives: the text of each row and its place; and the checks that all share.

Whatever cannot be decoded becomes a lone surrogate, which no valid text holds; so one check per
document finds undecodable bytes in every format, and half of a surrogate pair in JSON as well.
"""

import codecs
import re
import reprlib
import textwrap
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, TypeAlias

from unmask.core.errors import UserError
from unmask.corpus.config import CorpusConfig

UNDECODABLE = re.compile("[\ud800-\udfff]")
MARK = "\ud800"
MARKED = "unmask.marked"
COLUMN_HINT = "--text-column names the column that holds the text"

_NUL_SHARE = 3
"""A text of which one character in three is NUL was decoded with the wrong encoding."""

codecs.register_error(MARKED, lambda error: (MARK, error.end))  # type: ignore[attr-defined]

Unit: TypeAlias = Literal["line", "row", "item"]
Where: TypeAlias = Callable[[Unit, int], str]
"""Names a place for an error, such as `a.txt, line 7`; the lines ahead of a slice count as well."""


class Entry(NamedTuple):
    """What stands in the text column of one row, and where the row begins."""

    unit: Unit
    number: int
    text: object


def text_of(entry: Entry, where: Where, config: CorpusConfig) -> str:
    """Give the text of an entry, "" for a null.

    UserError if it is no string, and if it is not valid in the encoding unless such texts are to
    be dropped: then it comes with something in it that UNDECODABLE finds.
    """
    text = "" if entry.text is None else entry.text
    if not isinstance(text, str):
        raise UserError(
            f"{where(entry.unit, entry.number)}: {config.text_column} holds "
            f"{reprlib.repr(text)}, which is no string",
            COLUMN_HINT,
        )
    broken = _first_undecodable(text)
    if broken is not None and config.undecodable == "fail":
        near = UNDECODABLE.sub("\ufffd", text[max(0, broken - 20) : broken + 21])
        raise UserError(
            f"{where(entry.unit, entry.number)}: the document there is not valid "
            f"{config.encoding}, near {near!r}",
            "--encoding names another encoding, --undecodable drop leaves such documents out",
        )
    if "\0" in text and text.count("\0") * _NUL_SHARE > len(text):
        return _mostly_nul(entry, where, config)
    return text


def require(column: str, columns: Iterable[str], where: str) -> None:
    """UserError, with the columns that are there, if the one that is wanted is not."""
    if column not in columns:
        there = textwrap.shorten(", ".join(columns), 200, placeholder=" ...") or "none"
        raise UserError(f"{where}: no column {column}; there are {there}", COLUMN_HINT)


def _first_undecodable(text: str) -> int | None:
    """Find what UNDECODABLE finds, several times faster: only lone surrogates have no bytes."""
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def _mostly_nul(entry: Entry, where: Where, config: CorpusConfig) -> str:
    if config.undecodable == "drop":
        return MARK
    raise UserError(
        f"{where(entry.unit, entry.number)}: the document there is mostly NUL characters, as is "
        f"UTF-16 read as {config.encoding}",
        "try --encoding utf-16-le or utf-16-be; --undecodable drop leaves such documents out",
    )
