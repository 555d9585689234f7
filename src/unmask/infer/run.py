"""`unmask predict`: texts in, JSON lines out."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

from unmask.core.errors import UserError
from unmask.finetune import table
from unmask.finetune.config import ColumnsConfig
from unmask.infer.config import PredictConfig
from unmask.infer.pipelines import Pipeline

AT_ONCE = 256


def run(config: PredictConfig) -> None:
    """Answer for every text, a few hundred at a time, so that a stream may be endless."""
    pipeline = Pipeline.open(config.model, top_k=config.top_k)
    texts = _texts(config)
    while chunk := list(islice(texts, AT_ONCE)):
        pairs = [pair for _, pair in chunk if pair is not None]
        for answer in pipeline([text for text, _ in chunk], pairs or None):
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _texts(config: PredictConfig) -> Iterator[tuple[str, str | None]]:
    if config.text:
        yield from ((text, None) for text in config.text)
    elif config.file is None:
        yield from ((line, None) for line in _lines(sys.stdin.buffer, "<stdin>"))
    elif config.file.suffix == ".txt":
        with _opened(config.file) as file:
            yield from ((line, None) for line in _lines(file, str(config.file)))
    else:
        columns = ColumnsConfig(text=config.text_column or "text", pair=config.pair_column)
        for row in table.read_texts(config.file, columns):
            yield row.text, row.pair


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
