"""The raw documents of the inputs, one file a format; packed or plain, here or remote."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from unmask.core.errors import UserError
from unmask.core.locations import is_remote
from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs import remote
from unmask.corpus.inputs.formats import columns, cuts, jsons, tables
from unmask.corpus.inputs.formats.entries import UNDECODABLE, Entry, Unit, Where, text_of
from unmask.corpus.inputs.formats.lines import lines
from unmask.corpus.inputs.formats.txt import txt
from unmask.corpus.inputs.formats.wiki import wiki
from unmask.corpus.inputs.packing import DAMAGE, unpacked
from unmask.corpus.inputs.slices import Piece, Slice
from unmask.corpus.inputs.sources import suffixes

__all__ = ["UNDECODABLE", "texts"]


def texts(
    slice_: Slice, config: CorpusConfig, advance: Callable[[int], None]
) -> Iterator[tuple[str, str]]:
    """Yield the source's name and the text of every document as it stands; "" for a null.

    `advance` is told the bytes read since it was last called; they add up to `slice_.bytes`. With
    `undecodable="drop"` the caller has to leave out what UNDECODABLE finds. UserError for a damaged
    or unreachable file, a missing column, a malformed row, a value that is no string, and for
    undecodable text unless it is to be dropped.
    """
    for piece in slice_.pieces:
        for text in _texts(piece, config, advance):
            yield piece.source.name, text


def _texts(piece: Piece, config: CorpusConfig, advance: Callable[[int], None]) -> Iterator[str]:
    told = 0
    name, where = piece.source.name, partial(_where, piece)
    try:
        with _opened(piece.source.path) as file:
            for entry in _entries(file, piece, where, config):
                yield text_of(entry, where, config)
                position = min(file.tell() - piece.start, piece.bytes)
                if position > told:
                    advance(position - told)
                    told = position
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UserError(
            f"{name}: damaged, cut short or not what its suffix says ({error})",
            "fetch or write it again",
        ) from None
    except UnicodeError as error:
        raise UserError(
            f"{name}: not valid {config.encoding} ({error})",
            "for UTF-16 without a byte order mark, --encoding utf-16-le or utf-16-be",
        ) from None
    advance(piece.bytes - told)


def _opened(path: Path) -> IO[bytes]:
    return remote.opened(path) if is_remote(path) else path.open("rb")


def _entries(file: IO[bytes], piece: Piece, where: Where, config: CorpusConfig) -> Iterator[Entry]:
    suffix, packing = suffixes(piece.source.path)
    name, column = piece.source.name, config.text_column
    stream = unpacked(file, packing)
    if suffix in (".parquet", ".arrow"):
        with columns.seekable(stream, packing) as table:
            if suffix == ".parquet":
                yield from columns.parquet(table, piece, column)
            else:
                yield from columns.arrow(table, name, column)
        return
    window = cuts.Window(stream) if piece.whole else _window(file, piece)
    read = lines(window, where, config, from_start=piece.start == 0)
    match suffix:
        case ".txt":
            yield from txt(read, where, at_blank_lines=config.txt_documents == "blank-line")
        case ".jsonl":
            yield from jsons.json_lines(read, where, column)
        case ".json":
            yield from jsons.json_file(read, where, column)
        case ".csv":
            yield from tables.comma_separated(read, where, name, column)
        case ".tsv":
            yield from tables.tab_separated(read, where, name, column)
        case _:
            yield from wiki(read, where, column)


def _window(file: IO[bytes], piece: Piece) -> cuts.Window:
    start, stop = _ends(file, piece)
    file.seek(start)
    return cuts.Window(file, stop - start)


def _ends(file: IO[bytes], piece: Piece) -> tuple[int, int]:
    """Move the ends of a piece to where documents begin; its neighbours do the same."""
    after = cuts.BLANK_LINE if suffixes(piece.source.path)[0] == ".txt" else cuts.LINE
    size, name = piece.source.bytes, piece.source.name
    start, stop = (
        end if end == size else cuts.next_cut(file, end, size, after, name)
        for end in (piece.start, piece.stop)
    )
    return start, stop


def _where(piece: Piece, unit: Unit, number: int) -> str:
    """Name a place in the file; only now, for an error, are the lines ahead of it counted."""
    if unit == "line" and piece.start > 0:
        with _opened(piece.source.path) as file:
            number += cuts.lines_before(file, _ends(file, piece)[0])
    return f"{piece.source.name}, {unit} {number}"
