r"""Lines into GPT-2's pre-tokens, counted: the words that a byte-level BPE is learnt from.

A pre-token is what the ByteLevel pre-tokenizer of `tokenizers` cuts (add_prefix_space=False):

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

Lines are first cut into chunks, each of which can be cut by itself, and the chunks are counted.
Of the different chunks, those of plain ASCII are cut here; all others are cut by `tokenizers`, so
that no table of Unicode but its own decides what a letter is.

Shapes: N lines, S bytes of all chunks, C chunks, W words in them.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tokenizers import pre_tokenizers

SCHEMA = pa.schema([("word", pa.binary()), ("count", pa.uint64())])
"""Words as UTF-8 bytes, and how often they were seen."""

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_BATCH_CHARACTERS = 1 << 22
_ROWS_AT_ONCE = 1 << 14
_SPACE, _LINE_FEED = 0x20, 0x0A


def _table(*ranges: range) -> Mask:
    table = np.zeros(256, np.bool_)
    for among in ranges:
        table[among] = True
    return table


_GRAPHIC = _table(range(0x21, 0x7F))
_LETTERS = _table(range(0x41, 0x5B), range(0x61, 0x7B))
_DIGITS = _table(range(0x30, 0x3A))
_NEVER_BEGINS_A_SPACE = _table(range(0x21, 0xC2), range(0xC3, 0xE1), range(0xE4, 0x100))
"""First bytes of characters that are no white space: that begins with C2 E1 E2 E3 or in ASCII."""
_NEVER_ENDS_A_SPACE = _table(range(0x21, 0x80), range(0x8B, 0x9F), range(0xB0, 0xC0))
"""Last bytes likewise: that of white space is 80 to 8A, 9F, A0, A8, A9, AF or in ASCII."""


def count(lines: Iterable[str]) -> pa.Table:
    """Count the pre-tokens of lines without line feeds; sorted by their bytes, each word once.

    Takes the memory of the different chunks and a little more.
    """
    found = SCHEMA.empty_table()
    for batch in _batches(lines):
        found = _summed([found, _counted(chunks(batch).strings)])
    return summed([_cut(found)]) if len(found) else found


def summed(tables: list[pa.Table]) -> pa.Table:
    """Add up the counts of equal words, and sort by the words' bytes; counts wrap at 2**64."""
    return _summed(tables).sort_by("word")


def _summed(tables: list[pa.Table]) -> pa.Table:
    groups = pa.concat_tables(tables).group_by("word", use_threads=False)
    return groups.aggregate([("count", "sum")]).rename_columns(SCHEMA.names)


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for line in lines:
        batch.append(line)
        characters += len(line)
        if characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


@dataclasses.dataclass(frozen=True, slots=True)
class Chunks:
    """Pieces of lines that can be cut, and encoded, each by itself."""

    strings: pa.BinaryArray
    """[C]"""
    first_N: Ints
    """The first chunk of each line, [N]; that of an empty line is the one after it."""


def chunks(lines: Sequence[str]) -> Chunks:
    """Cut lines without line feeds into chunks; an empty line has none.

    No pre-token goes over a space that has no white space on one of its sides, or none on the
    other: it begins with such a space or ends before it. So a new chunk begins there, unless a
    byte beside the space might belong to white space. UnicodeEncodeError for half a character.
    """
    text_S = np.frombuffer("\n".join(["", *lines]).encode(), np.uint8)
    is_line_feed_S = text_S == _LINE_FEED
    begins_S = np.zeros(len(text_S), np.bool_)
    begins_S[1:-1] = _NEVER_ENDS_A_SPACE[text_S[:-2]] | _NEVER_BEGINS_A_SPACE[text_S[2:]]
    begins_S &= text_S == _SPACE
    begins_S[1:] |= is_line_feed_S[:-1]
    starts_N = is_line_feed_S.nonzero()[0]
    starts_N -= np.arange(len(starts_N))
    is_kept_S = ~is_line_feed_S
    starts_C = begins_S[is_kept_S].nonzero()[0]
    return Chunks(_strings(text_S[is_kept_S], starts_C), np.searchsorted(starts_C, starts_N))


def _counted(strings: pa.BinaryArray) -> pa.Table:
    found = strings.value_counts()
    columns = [found.field("values"), found.field("counts").cast(pa.uint64())]
    return pa.table(columns, schema=SCHEMA)


def _strings(text_S: Bytes, starts_C: Ints) -> pa.BinaryArray:
    offsets = np.append(starts_C, len(text_S)).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text_S))]
    return pa.Array.from_buffers(pa.binary(), len(starts_C), buffers)


def _cut(found: pa.Table) -> pa.Table:
    """Cut different chunks into words, each with the count of its chunk."""
    strings = found["word"].combine_chunks()
    is_plain_C = _plain(strings)
    parts = [
        _cut_plain(found.filter(pa.array(is_plain_C))),
        _cut_others(found.filter(pa.array(~is_plain_C))),
    ]
    return pa.concat_tables(parts)


def _plain(strings: pa.BinaryArray) -> Mask:
    """Find chunks of visible ASCII but the apostrophe, with a space before it or none."""
    text_S, starts_C = letters(strings)
    is_odd_S = ~_GRAPHIC[text_S] | (text_S == ord("'"))
    lengths_C = np.diff(starts_C, append=len(text_S))
    is_odd_S[starts_C[(text_S[starts_C] == _SPACE) & (lengths_C > 1)]] = False
    return ~np.logical_or.reduceat(is_odd_S, starts_C)


def _cut_plain(found: pa.Table) -> pa.Table:
    """Cut where letters, digits and other signs meet; a space belongs to what follows it."""
    if not len(found):
        return SCHEMA.empty_table()
    text_S, starts_C = letters(found["word"].combine_chunks())
    kind_S = _LETTERS[text_S] * np.uint8(2) + _DIGITS[text_S]
    spaces = (text_S == _SPACE).nonzero()[0]
    kind_S[spaces] = kind_S[spaces + 1]
    begins_S = np.empty(len(text_S), np.bool_)
    np.not_equal(kind_S[1:], kind_S[:-1], out=begins_S[1:])
    begins_S[starts_C] = True
    starts_W = begins_S.nonzero()[0]
    chunk_W = starts_C.searchsorted(starts_W, side="right") - 1
    counts_W = found["count"].to_numpy()[chunk_W]
    return pa.table([_strings(text_S, starts_W), counts_W], schema=SCHEMA)


def _cut_others(found: pa.Table) -> pa.Table:
    tables = [_cut_each(batch) for batch in found.to_batches(max_chunksize=_ROWS_AT_ONCE)]
    return pa.concat_tables(tables) if tables else SCHEMA.empty_table()


def _cut_each(found: pa.RecordBatch) -> pa.Table:
    cutter = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words, counts = [], []
    for row in found.to_pylist():
        text = row["word"].decode()
        pieces = [text[start:end].encode() for _, (start, end) in cutter.pre_tokenize_str(text)]
        words += pieces
        counts += [row["count"]] * len(pieces)
    return pa.table([words, counts], schema=SCHEMA)


def letters(strings: pa.BinaryArray) -> tuple[Bytes, Ints]:
    """Give the bytes of strings, one after another, and where each string starts; no copy."""
    _, offsets, text = strings.buffers()
    bounds = np.frombuffer(offsets, np.int32)[strings.offset : strings.offset + len(strings) + 1]
    text_S = np.frombuffer(text, np.uint8)[bounds[0] : bounds[-1]]
    return text_S, bounds[:-1].astype(np.int64) - bounds[0]
