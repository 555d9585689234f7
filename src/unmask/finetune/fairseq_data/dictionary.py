"""fairseq's `dict.txt`: the symbols that its ids stand for (fairseq/data/dictionary.py)."""

import re
from pathlib import Path

from unmask.core.errors import UserError
from unmask.tokenizer.family import ROBERTA

SPECIALS = ROBERTA.specials[:4]
"""`<s> <pad> </s> <unk>` are ids 0 to 3 and stand in no file."""
BOS, PAD, EOS, UNK = range(4)
FILLER = re.compile(r"madeupword\d+")
"""What fills a dictionary up to a round size."""
OVERWRITE = " #fairseq:overwrite"
"""Behind a symbol that stands in the file a second time."""


def read(path: Path) -> tuple[str, ...]:
    """Read the symbols in the order of their ids; a line is `SYMBOL COUNT`.

    UserError for a file that is missing, for a line of another form and a symbol that comes twice.
    """
    symbols = list(SPECIALS)
    known = set(symbols)
    for number, line in enumerate(_lines(path), start=1):
        bare = line.rstrip()
        symbol, _, count = bare.removesuffix(OVERWRITE).rpartition(" ")
        if not symbol or not count.isdecimal():
            raise UserError(
                f"{path}: line {number}: {line!r:.60} is no symbol with its count",
                "take the dict.txt that fairseq-preprocess wrote",
            )
        if symbol in known and not bare.endswith(OVERWRITE):
            raise UserError(
                f"{path}: line {number}: {symbol!r} comes a second time", "get the file again"
            )
        known.add(symbol)
        symbols.append(symbol)
    return tuple(symbols)


def _lines(path: Path) -> list[str]:
    """Split at line feeds only: other line separators may be symbols."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "copy it from where the data was made") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error})", "get the file again") from None
    return text.removesuffix("\n").split("\n") if text else []
