"""`unmask predict`: texts in, JSON lines out."""

import json
import sys
from collections.abc import Iterator
from itertools import islice

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
        yield from ((line.rstrip("\n"), None) for line in sys.stdin if line.strip())
    elif config.file.suffix == ".txt":
        yield from ((line, None) for line in _lines(config) if line.strip())
    else:
        columns = ColumnsConfig(text=config.text_column, pair=config.pair_column)
        for row in table.read(config.file, columns, labelled=False):
            yield row.text, row.pair


def _lines(config: PredictConfig) -> list[str]:
    assert config.file is not None
    try:
        return config.file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UserError(f"{config.file}: no such file", "check the path") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{config.file}: not UTF-8 ({error.reason} at byte {error.start})",
            "convert it to UTF-8",
        ) from None
