"""The files of WSC (SuperGLUE) and of WinoGrande: .jsonl, one schema a line."""

import dataclasses
import json
import re
from pathlib import Path
from typing import TypeVar

from unmask.core.errors import UserError
from unmask.finetune.table.records import Record, records
from unmask.infer.language.choose import GAP, Question
from unmask.infer.language.pronouns import Pronoun

ANSWERS = ("1", "2")
SHOWN = 40
"""Characters of a wrong value in a message."""

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Wsc:
    """A schema of WSC: does the pronoun stand for the query?"""

    pronoun: Pronoun
    label: bool | None
    """None where the file does not tell."""


@dataclasses.dataclass(frozen=True, slots=True)
class WinoGrande:
    """A schema of WinoGrande: which of two options fills the gap?"""

    question: Question
    answer: int | None
    """Number of the right option, 0 or 1; None where the file does not tell."""


def read_wsc(path: Path) -> list[Wsc]:
    """Read `text`, `target` and `label` of SuperGLUE, and `candidates` besides.

    fairseq finds rivals of the query with a parser; here they are given with each schema, a list
    of noun phrases of the text. As there, an index that is short by one word is put right, and
    punctuation beside the pronoun and at the end of the query is not theirs.
    """
    return [_wsc(record, f"{path}: row {number}") for number, record in records(path)]


def read_winogrande(path: Path) -> list[WinoGrande]:
    """Read `sentence`, whose gap is `_`, `option1`, `option2`, and `answer` if it is there."""
    schemas = []
    for number, record in records(path):
        place = f"{path}: row {number}"
        sentence = _cell(record, "sentence", str, place)
        options = tuple(_cell(record, name, str, place) for name in ("option1", "option2"))
        before, gap, after = sentence.partition(GAP)
        if not gap:
            raise UserError(f"{place}: no {GAP} in {sentence!r}", "mend the row")
        answer = record.get("answer") or None
        if answer is not None and answer not in ANSWERS:
            raise UserError(f"{place}: 'answer' is {answer!r}", 'write "1" or "2"')
        right = None if answer is None else ANSWERS.index(answer)
        schemas.append(WinoGrande(Question(before, after, options), right))
    return schemas


def _wsc(record: Record, place: str) -> Wsc:
    text = _cell(record, "text", str, place)
    target = _cell(record, "target", dict, place)
    if "candidates" not in record:
        raise UserError(
            f"{place}: no 'candidates'",
            'add a list of noun phrases of the text, "candidates": ["the trophy", "the case"]',
        )
    candidates = _cell(record, "candidates", list, place)
    query = _cell(target, "span1_text", str, place).rstrip(".,")
    word = _cell(target, "span2_text", str, place).rstrip('.,"')
    start = _position(text, word, _cell(target, "span2_index", int, place), place)
    label = _cell(record, "label", bool, place) if "label" in record else None
    rivals = tuple(str(item) for item in candidates)
    return Wsc(Pronoun(text, start, start + len(word), rivals, query), label)


def _position(text: str, pronoun: str, index: int, place: str) -> int:
    """Find the character at which the pronoun starts, from the number of its word."""
    words = text.split(" ")
    for number in (index, index + 1):
        found = number < len(words) and re.match(rf"\W*({re.escape(pronoun)})\b", words[number])
        if found:
            return sum(len(word) + 1 for word in words[:number]) + found.start(1)
    raise UserError(
        f"{place}: word {index} of the text is not {pronoun!r}",
        "'span2_index' counts words between spaces, from 0",
    )


def _cell(record: Record, name: str, kind: type[T], place: str) -> T:
    value = record.get(name)
    if not isinstance(value, kind):
        found = json.dumps(value, ensure_ascii=False)[:SHOWN] if name in record else "missing"
        raise UserError(
            f"{place}: {name!r} is {found}, not of type {kind.__name__}", "mend the row"
        )
    return value
