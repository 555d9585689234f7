"""Where texts come from: flags, a file, or stdin."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.corpus.inputs.packing import DAMAGE, unpacked
from unmask.corpus.inputs.sources import suffixes
from unmask.finetune import table
from unmask.finetune.data_config import ColumnsConfig
from unmask.infer.config import PredictConfig


class Text(NamedTuple):
    """A text, and a second one where there are pairs."""

    text: str
    pair: str | None = None


def read(config: PredictConfig) -> Iterator[Text]:
    """Yield texts as they come in, so that a stream may be endless; UserError for an empty file."""
    if config.table and config.file is not None:
        rows = _rows(config.file, config)
        yield from (Text(row.text, config.pair or row.pair) for row in rows)
    else:
        yield from (Text(text, config.pair) for text in _single(config))


def _single(config: PredictConfig) -> Iterator[str]:
    """Yield texts that come without a second one."""
    if config.text:
        yield from config.text
    elif config.file is None:
        if typed(config):
            say("one text a line, please; Ctrl-D ends them")
        yield from _lines(sys.stdin.buffer, "<stdin>")
    elif config.file_kind == ".txt":
        yield from _of_file(config.file)
    else:
        raise UserError(
            f"{config.file}: a .json, as SQuAD's, is for models that answer questions",
            "give a .txt with one text a line, or a table: .tsv, .csv, .jsonl or .parquet",
        )


def typed(config: PredictConfig) -> bool:
    """Tell whether a person types the texts, and waits for each answer."""
    return not config.text and config.file is None and sys.stdin.isatty()


def _rows(path: Path, config: PredictConfig) -> Iterator[Text]:
    columns = ColumnsConfig(text=config.text_column or "text", pair=config.pair_column)
    try:
        rows = table.read_texts(path, columns)
    except UserError as error:
        if "--columns" not in error.hint:
            raise
        hint = "name the columns with --text-column and --pair-column; the first line is a header"
        raise UserError(error.what, hint) from None
    for row in rows:
        yield Text(row.text, row.pair)


def _of_file(path: Path) -> Iterator[str]:
    empty = True
    try:
        with path.open("rb") as file:
            for line in _lines(unpacked(file, suffixes(path)[1]), str(path)):
                empty = False
                yield line
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not a file", "name the file in it") from None
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UserError(f"{path}: damaged ({error})", "fetch or write it again") from None
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
