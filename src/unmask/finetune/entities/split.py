"""Where the words of a raw text are.

A model was taught by words that others had found, with punctuation apart from them; these rules
find the same in running text as far as no knowledge of the language is needed.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import TypeAlias

Place: TypeAlias = tuple[int, int]
"""The first character of a word and the one after its last."""
Splitter: TypeAlias = Callable[[str], Iterator[Place]]

INNER = frozenset("-'’/,:&@+_·\u2010\u2011")
"""Between letters or digits these are part of the word: all-rounder, 10,000, AT&T."""
CLITICS = ("'s", "’s")
"""English data have them as words: Germany 's."""

_WORD = re.compile(
    r"l(?:\.l)+\.(?![ld])"  # U.S. and a.m.
    r"|[ld]+(?:[i.][ld]+)*"
    r"|\.+"
    r"|[ip]"
)


def words(text: str) -> Iterator[Place]:
    """Find runs of letters and digits, and each sign of punctuation apart.

    Full stops and the signs of INNER stay inside a word, abbreviations of single letters keep
    their last full stop, and several full stops are one word. A final 's is a word of its own.
    """
    kinds = "".join(map(_kind, text))
    for found in _WORD.finditer(kinds):
        begin, end = found.span()
        cut = end - len(CLITICS[0])
        if text[cut:end].lower() in CLITICS and cut > begin:
            yield begin, cut
            begin = cut
        yield begin, end


def characters(text: str) -> Iterator[Place]:
    """Find every character that is not white space, as data of one character a line have them."""
    return ((place, place + 1) for place, letter in enumerate(text) if not letter.isspace())


@functools.lru_cache(maxsize=1 << 16)
def _kind(letter: str) -> str:
    """Tell white space, digits, full stops, other signs (inner or not) and letters apart.

    Marks and characters that do not show are letters here: they are within words.
    """
    if letter.isspace():
        return " "
    if letter == ".":
        return "."
    if letter in INNER:
        return "i"
    match unicodedata.category(letter)[0]:
        case "N":
            return "d"
        case "P" | "S":
            return "p"
        case _:
            return "l"
