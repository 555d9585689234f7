"""Bytes to lines, having looked whether they are text in this encoding at all."""

import codecs
import functools
import io
import re
from collections.abc import Iterator

from unmask.core.errors import UserError
from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs.formats import cuts
from unmask.corpus.inputs.formats.entries import MARKED, Where

_BUFFER_BYTES = 1 << 20
_HEAD_BYTES = 1 << 12
_MAGIC = {
    b"\x1f\x8b": "gzip (.gz)",
    b"BZh": "bzip2 (.bz2)",
    b"\xfd7zXZ": "xz (.xz)",
    b"\x28\xb5\x2f\xfd": "Zstandard (.zst)",
    b"PAR1": "Parquet (.parquet)",
    b"ARROW1": "Arrow (.arrow)",
    b"\xff\xff\xff\xff": "Arrow (.arrow)",
    b"PK\x03\x04": "zip",
    b"%PDF-": "PDF",
}
_NO_TEXT = re.compile(rb"[\x00-\x08]")
_WIDE = re.compile(r"utf-(16|32)")
_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def lines(
    stream: io.RawIOBase, where: Where, config: CorpusConfig, *, from_start: bool = True
) -> Iterator[str]:
    """Yield the lines with their ends, as csv needs them, without a byte order mark.

    UserError for a line longer than the longest document and for what is no text; bytes that
    cannot be decoded are marked for `text_of`.
    """
    buffered = io.BufferedReader(stream, _BUFFER_BYTES)
    if from_start:
        _refuse_other_kinds(buffered.peek(_HEAD_BYTES)[:_HEAD_BYTES], where, config)
    text = io.TextIOWrapper(buffered, config.encoding, errors=MARKED, newline="")
    read = functools.partial(text.readline, cuts.LONGEST + 1)
    for number, line in enumerate(iter(read, ""), start=1):
        if len(line) > cuts.LONGEST:
            raise cuts.too_long(where("line", number))
        yield line.removeprefix("\ufeff") if from_start and number == 1 else line


def _refuse_other_kinds(head: bytes, where: Where, config: CorpusConfig) -> None:
    name = where("line", 1)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic) and _NO_TEXT.search(head):
            raise UserError(f"{name}: {kind} data and no text", "give the file the suffix it needs")
    wide = _wide_encoding(head)
    known = _WIDE.match(codecs.lookup(config.encoding).name)
    if wide and not known and config.undecodable == "fail":
        raise UserError(
            f"{name}: the file looks like {wide} and not like {config.encoding}",
            f"try --encoding {wide}",
        )


def _wide_encoding(head: bytes) -> str:
    """Guess an encoding of two or four bytes a character; "" if it seems to be none."""
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    even, odd = head[::2].count(0), head[1::2].count(0)
    if (even + odd) * 3 <= len(head):
        return ""
    if min(even, odd) * 6 > len(head):
        return "utf-32-le" if head[:1] != b"\0" else "utf-32-be"
    return "utf-16-le" if odd > even else "utf-16-be"
