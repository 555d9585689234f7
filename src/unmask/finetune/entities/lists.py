"""Tables whose rows are sentences: a list of words and a list of as many tags."""

from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.finetune.entities.sentence import Sentence
from unmask.finetune.table.records import Record, records

FORMATS = (".jsonl", ".parquet")
WORDS = "tokens"
TAGS = "tags"


def read(path: Path) -> list[Sentence]:
    """Read every row, with the tags as they are written.

    UserError for a row without the two lists, or with lists of different lengths, for an empty
    word, a tag that is a number, and a file that is damaged or without sentences.
    """
    sentences = [_sentence(path, number, record) for number, record in records(path)]
    if not sentences:
        raise UserError(f"{path}: has no sentences", f"give rows with {WORDS} and {TAGS}")
    return sentences


def _sentence(path: Path, number: int, record: Record) -> Sentence:
    place = f"{path}: row {number}"
    words, tags = _strings(record, WORDS, place), _strings(record, TAGS, place)
    if len(words) != len(tags):
        raise UserError(
            f"{place}: {len(words)} {WORDS}, but {len(tags)} {TAGS}", "each word needs one tag"
        )
    if "" in words:
        raise UserError(f"{place}, token {words.index('') + 1}: no word", "mend the row")
    return Sentence(words, tags, path, number, by_line=False)


def _strings(record: Record, name: str, place: str) -> tuple[str, ...]:
    if name not in record:
        raise UserError(
            f"{place}: no {name!r}; there is {', '.join(map(repr, record))}",
            f"a sentence is a list of words, {WORDS}, and one of as many tags, {TAGS}",
        )
    values: Any = record[name]
    if not isinstance(values, list) or not values:
        raise UserError(f"{place}: {name!r} is no list of words or tags", "mend the row")
    for value in values:
        if not isinstance(value, str):
            raise UserError(
                f"{place}: {value!r} among {name!r} is no text",
                "write tags by their names, as in B-PER",
            )
    return tuple(values)
