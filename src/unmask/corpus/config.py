"""The flags of `unmask corpus`."""

import dataclasses
import io
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CorpusConfig:
    """Text files in, clean documents out: repeats dropped, split into train and valid."""

    inputs: tuple[str, ...]
    """Files, folders, quoted globs, or - for plain text on standard input.
    Formats: .txt .jsonl .csv .tsv (never quoted) .parquet, each plain, .gz or .zst."""
    out: Path
    """The corpus folder to write."""
    txt_documents: Literal["blank-line", "file"] = "blank-line"
    """How a .txt file is cut into documents: at its blank lines, or not at all."""
    text_column: str = "text"
    """The column (or JSON key) that holds the text of a document."""
    encoding: str = "utf-8"
    """Encoding of the inputs; a byte order mark is tolerated, and .parquet is always UTF-8."""
    undecodable: Literal["fail", "drop"] = "fail"
    """What to do with a document that is not valid in the encoding: stop, or leave it out."""
    valid_fraction: float = 0.01
    """Share of the documents that goes to valid, chosen by the hash of each document's text."""
    force: bool = False
    """Make the corpus anew even if it is there already."""

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UserError("--inputs names nothing", "give files, folders, globs or -")
        if not 0 <= self.valid_fraction < 1:
            raise UserError(
                f"--valid-fraction {self.valid_fraction} is not in [0, 1)",
                "0.01 sends one document in a hundred to valid",
            )
        try:
            io.TextIOWrapper(io.BytesIO(), self.encoding)
        except LookupError:
            raise UserError(
                f"--encoding {self.encoding}: no such text encoding",
                "for example utf-8, utf-16, latin-1, cp1252, gb18030, shift_jis",
            ) from None
