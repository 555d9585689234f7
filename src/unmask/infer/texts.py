"""Where texts come from: flags, a file, or stdin."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from unmask.core.errors import UserError
from unmask.finetune import table
from unmask.finetune.data_config import ColumnsConfig
from unmask.infer.config import PredictConfig


class Text(NamedTuple):
    """A text, and a second one where there are pairs."""

    text: str
    pair: str | None = None


def read(config: PredictConfig) -> Iterator[Text]:
    """Yield texts as they come in, so that a stream may be endless."""
    if config.text:
        yield from (Text(text) for text in config.text)
    elif config.file is None:
        yield from (Text(line) for line in _lines(sys.stdin.buffer, "<stdin>"))
    elif config.file.suffix == ".txt":
        with _opened(config.file) as file:
            yield from (Text(line) for line in _lines(file, str(config.file)))
    else:
        columns = ColumnsConfig(text=config.text_column or "text", pair=config.pair_column)
        for row in table.read_texts(config.file, columns):
            yield Text(row.text, row.pair)


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "check the path") from None


def _lines(stream: IO[bytes], name: str) -> Iterator[str]:
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
