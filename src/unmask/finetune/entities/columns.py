"""Files with one word a line, its tag in another column, and an empty line between sentences."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from unmask.core.errors import UserError
from unmask.finetune import packed
from unmask.finetune.data_config import EntitiesConfig
from unmask.finetune.entities.sentence import Sentence

DOCUMENT = "-DOCSTART-"
"""CoNLL-2003's word before each document; it is no sentence."""
BLANKS = re.compile("[ \t]+")
"""Other white space, such as U+3000 and U+00A0, is part of words."""
TAB = "\t"


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """What a file holds."""

    sentences: list[Sentence]
    between: str
    """What stands between its columns, in words."""
    documents: int
    """Lines that only begin a document."""


def read(path: Path, config: EntitiesConfig) -> Columns:
    """Read every sentence, with the tags as they are written.

    Without a separator, columns stand between tabs where every line has one, else between blanks.
    UserError for a line of another width than the first, for a column that there is not, for an
    empty word, and for a file that is missing, damaged, not UTF-8 or without sentences.
    """
    lines = _lines(path)
    separator = config.separator or (TAB if _has_tabs(lines) else None)
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    documents = 0
    for number, word, tag in _cells(path, lines, separator, config):
        if word and word != DOCUMENT:
            words.append(word)
            tags.append(tag)
            continue
        documents += word == DOCUMENT
        if words:
            first = number - len(words)
            sentences.append(Sentence(tuple(words), tuple(tags), path, first))
            words, tags = [], []
    if not sentences:
        raise UserError(
            f"{path}: has no sentences", "one word and its tag a line, an empty line after each"
        )
    return Columns(sentences, _named(separator), documents)


def _cells(
    path: Path, lines: Sequence[str], separator: str | None, config: EntitiesConfig
) -> Iterator[tuple[int, str, str]]:
    """Yield number, word and tag of each line; an empty line, and the end, has no word."""
    width = 0
    for number, line in enumerate(lines, start=1):
        if _is_empty(line):
            yield number, "", ""
            continue
        if DOCUMENT in line:
            yield number, DOCUMENT, ""
            continue
        cells = line.split(separator) if separator else BLANKS.split(line.strip(" \t"))
        place = f"{path}: line {number}"
        if not width:
            width = len(cells)
            _refuse_missing(place, width, separator, config)
        if len(cells) != width:
            raise UserError(
                f"{place}: {len(cells)} columns where the first line has {width}",
                f"columns stand between {_named(separator)}; name what does with "
                "--entities.separator, or mend the line",
            )
        word = cells[config.word]
        if not word:
            raise UserError(f"{place}: no word in column {config.word}", "mend the line")
        tag = cells[-1 if config.tag is None else config.tag]
        # a word may be a space, but none has one around it
        yield number, word.strip(" ") or word, tag.strip(" ")
    yield len(lines) + 1, "", ""


def _refuse_missing(place: str, width: int, separator: str | None, config: EntitiesConfig) -> None:
    found = f"{place}: {width} column{'s' if width > 1 else ''} between {_named(separator)}"
    if width == 1:
        raise UserError(
            f"{found}, where a word and its tag are read",
            "give files with a tag for each word; --entities.separator names what stands between",
        )
    for flag, column in (("word", config.word), ("tag", config.tag)):
        if column is not None and not 0 <= column < width:
            raise UserError(
                f"{found}, no column --entities.{flag} {column}", "they are counted from 0"
            )
    if config.word == (width - 1 if config.tag is None else config.tag):
        raise UserError(
            f"{found}: column {config.word} is both the word and the tag",
            "name two columns with --entities.word and --entities.tag",
        )


def _is_empty(line: str) -> bool:
    return not line.strip(" \t")


def _has_tabs(lines: Sequence[str]) -> bool:
    tabs = [TAB in line for line in lines if not _is_empty(line) and DOCUMENT not in line]
    return bool(tabs) and all(tabs)


def _named(separator: str | None) -> str:
    return {None: "blanks", TAB: "tabs"}.get(separator, repr(separator))


def _lines(path: Path) -> list[str]:
    """Split at line ends alone: str.splitlines would split at U+0085 and U+2028, too."""
    return [line.removesuffix("\r") for line in packed.text(path).split("\n")]
