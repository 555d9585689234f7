"""Where texts come from: flags, a file, or stdin."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune import table
from unmask.finetune.data_config import ColumnsConfig
from unmask.finetune.table.records import Opening
from unmask.infer.config import PredictConfig
from unmask.infer.reading import opened


class Text(NamedTuple):
    """A text, and a second one where there are pairs."""

    text: str
    pair: str | None = None


def read(config: PredictConfig, opening: Opening = opened) -> Iterator[Text]:
    """Yield texts as they come in, so that a stream may be endless and a file of any size.

    UserError for an empty file, and with its place for what cannot be read.
    """
    if config.table and config.input is not None:
        rows = _rows(config.input, config, opening)
        found = (Text(row.text, config.pair or row.pair) for row in rows)
    else:
        found = (Text(text, config.pair) for text in _single(config, opening))
    for number, one in enumerate(found, start=1):
        _refuse_halves(one, number)
        yield one


def _refuse_halves(one: Text, number: int) -> None:
    """UserError for half a surrogate pair, as JSON's escapes and flags that are not UTF-8 have."""
    try:
        f"{one.text}{one.pair}".encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise UserError(
            f"text {number}: {half!r} is no character, but half of one", "write it in UTF-8"
        ) from None


def _single(config: PredictConfig, opening: Opening) -> Iterator[str]:
    """Yield texts that come without a second one."""
    if config.text:
        yield from config.text
    elif config.input is None:
        if sys.stdin is None:
            raise UserError("no texts: stdin is closed", "give --text, --input or a pipe")
        if typed(config):
            say("one text a line, please; Ctrl-D ends them")
        yield from _lines(sys.stdin.buffer, "<stdin>")
    elif config.file_kind == ".txt":
        yield from _of_file(config.input, opening)
    else:
        raise UserError(
            f"{config.input}: a .json, as SQuAD's, is for models that answer questions",
            "give a .txt with one text a line, or a table: .tsv, .csv, .jsonl or .parquet",
        )


def typed(config: PredictConfig) -> bool:
    """Tell whether a person types the texts, and waits for each answer."""
    from_stdin = not config.text and config.input is None and sys.stdin is not None
    return from_stdin and sys.stdin.isatty()


def _rows(path: Path, config: PredictConfig, opening: Opening) -> Iterator[Text]:
    columns = ColumnsConfig(text=config.text_column or "text", pair=config.pair_column)
    try:
        for row in table.each_text(path, columns, opening):
            yield Text(row.text, row.pair)
    except UserError as error:
        if "--columns" not in error.hint:
            raise
        hint = "name the columns with --text-column and --pair-column; the first line is a header"
        raise UserError(error.what, hint) from None


def _of_file(path: Path, opening: Opening) -> Iterator[str]:
    empty = True
    with opening(path) as stream:
        for line in _lines(stream, str(path)):
            empty = False
            yield line
    if empty:
        raise UserError(f"{path}: has no texts", "write one a line")


def _lines(stream: Iterable[bytes], name: str) -> Iterator[str]:
    """Yield the lines that hold something, as they come in."""
    for number, line in enumerate(stream, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{name}: line {number} is not UTF-8 ({error.reason})", "convert it to UTF-8"
            ) from None
        if text.strip():
            yield text
