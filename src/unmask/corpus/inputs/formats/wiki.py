"""What WikiExtractor writes: `<doc ...>` elements, or one JSON object a line (its --json).

Source: wikiextractor/extract.py (Extractor.extract): the first line in an element is the title.
"""

import itertools
from collections.abc import Iterable, Iterator

from unmask.core.errors import UserError
from unmask.corpus.inputs.formats import cuts
from unmask.corpus.inputs.formats.entries import Entry, Where
from unmask.corpus.inputs.formats.jsons import json_lines

_OPEN, _CLOSE = "<doc id=", "</doc>"
_HINT = "WikiExtractor writes <doc id=...> and </doc> on lines of their own, or --json"


def wiki(lines: Iterable[str], where: Where, column: str) -> Iterator[Entry]:
    """Yield the articles, each with its title as it stands; the first line tells which form it is.

    UserError for text outside an element and for an element without its end.
    """
    rest = iter(lines)
    for number, line in enumerate(rest, start=1):
        both = itertools.chain([line], rest)
        if line.lstrip().startswith("{"):
            yield from json_lines(both, where, column, first=number)
        elif not line.isspace():
            yield from _elements(both, where, number)


def _elements(lines: Iterable[str], where: Where, first: int) -> Iterator[Entry]:
    inside: list[str] | None = None
    start, characters = first, 0
    for number, line in enumerate(lines, start=first):
        word = line.strip()
        if inside is None:
            if word.startswith(_OPEN):
                inside, start, characters = [], number, 0
            elif word:
                raise UserError(f"{where('line', number)}: text outside of any <doc>", _HINT)
        elif word == _CLOSE:
            yield Entry("line", start, "".join(inside))
            inside = None
        elif word.startswith(_OPEN):
            raise UserError(f"{where('line', start)}: this <doc> has no </doc>", _HINT)
        else:
            inside.append(line)
            characters += len(line)
        if characters > cuts.LONGEST:
            raise cuts.too_long(where("line", start))
    if inside is not None:
        raise UserError(f"{where('line', start)}: this <doc> has no </doc>; cut short?", _HINT)
