"""The flags of `unmask corpus`."""

import dataclasses
import io
from typing import Literal

from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError
from unmask.core.locations import Location


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FilterConfig:
    """What documents must be like to be kept; nothing is dropped for a limit that is not given."""

    min_characters: int | None = None
    """Drop shorter documents."""
    max_characters: int | None = None
    """Drop longer documents."""
    min_words: int | None = None
    """Drop documents of fewer words (Gopher: 50); a character counts as a word where a script is
    written without spaces."""
    max_repeated_lines: float | None = None
    """Drop documents with a larger share of lines that repeat an earlier one (Gopher: 0.3)."""
    max_symbol_share: float | None = None
    """Drop documents with a larger share of characters that are symbols: neither letters, marks or
    numbers, nor white space, nor punctuation of prose (0.1 after Gopher)."""
    languages: tuple[str, ...] = ()
    """Drop documents in other languages than these (such as en zh), as py3langid judges them."""
    min_language_probability: float | None = None
    """With languages: drop documents whose language is less certain than this."""

    def __post_init__(self) -> None:
        for name in ("min_characters", "max_characters", "min_words"):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise _wrong(name, limit, "is below 1", "give 1 or more, or leave it out")
        for name in ("max_repeated_lines", "max_symbol_share", "min_language_probability"):
            limit = getattr(self, name)
            if limit is not None and not 0 <= limit <= 1:
                raise _wrong(name, limit, "is not in [0, 1]", "0.3 is three in ten")
        if (
            self.min_characters
            and self.max_characters
            and self.min_characters > self.max_characters
        ):
            raise _wrong(
                *("min_characters", self.min_characters),
                *(f"is above --filters.max-characters {self.max_characters}", "change one of them"),
            )
        if self.min_language_probability is not None and not self.languages:
            raise _wrong(
                *("min_language_probability", self.min_language_probability),
                *("has no effect without --filters.languages", "add it, or leave both out"),
            )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CorpusConfig(EngineConfig):
    """Text files in, clean documents out: repeats dropped, split into train and valid."""

    inputs: tuple[str, ...]
    """Files, folders, quoted globs, the same by URL (s3://BUCKET/DIR, hf://datasets/OWNER/NAME),
    or - for plain text on standard input. Formats: .txt .jsonl .json .csv .tsv (never quoted)
    .parquet .arrow, WikiExtractor's (wiki_00 or .wiki), each plain, .gz, .bz2, .xz or .zst; and
    folders written by save_to_disk (of a DatasetDict its train split)."""
    out: Location
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
    filters: FilterConfig = FilterConfig()
    """Which documents are too poor to keep; what was dropped is counted, and some is shown in
    dropped.jsonl."""
    near_duplicates: float | None = None
    """Keep only the first of documents that are nearly the same: whose sets of word 5-grams have at
    least this Jaccard similarity (such as 0.8), as MinHash estimates it."""
    force: bool = False
    """Make the corpus anew even if it is there already."""

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        if not self.inputs:
            raise UserError("--inputs names nothing", "give files, folders, globs or -")
        if not 0 <= self.valid_fraction < 1:
            raise UserError(
                f"--valid-fraction {self.valid_fraction} is not in [0, 1)",
                "0.01 sends one document in a hundred to valid",
            )
        if self.near_duplicates is not None and not 0.5 <= self.near_duplicates <= 1:
            raise UserError(
                f"--near-duplicates {self.near_duplicates} is not in [0.5, 1]",
                "0.8 drops documents that share most of their word 5-grams with an earlier one",
            )
        try:
            io.TextIOWrapper(io.BytesIO(), self.encoding)
        except LookupError:
            raise UserError(
                f"--encoding {self.encoding}: no such text encoding",
                "for example utf-8, utf-16, latin-1, cp1252, gb18030, shift_jis",
            ) from None


def _wrong(setting: str, value: object, what: str, hint: str) -> UserError:
    return UserError(f"--filters.{setting.replace('_', '-')} {value} {what}", hint)
