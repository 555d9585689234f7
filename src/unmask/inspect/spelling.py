"""Tokens as people read them.

A byte-level token is a run of bytes, and its ends need not be ends of characters. So tokens are
spelt together: a character stands where its first byte is, a token that goes on with it begins
with a tie, and bytes that belong to no character stand as numbers.
"""

import itertools
from collections.abc import Sequence

from unmask.core.visible import visible
from unmask.tokenizer.byte_letters import BYTE_OF
from unmask.tokenizer.family import Name

TIE = "‿"
"""Stands for further bytes of the character before."""
SPACE = "␣"
"""Stands for a space that would not be seen."""


def spell(tokens: Sequence[str], family: Name) -> list[str]:
    """Spell tokens that stand one after another; each text carries the space in front of it.

    A WordPiece keeps its `##`. Nothing in the result moves a cursor or turns a line around.
    """
    if family == "bert":
        return [" " + visible(token) for token in tokens]
    pieces = [_bytes(token) for token in tokens]
    shown = _characters(b"".join(pieces))
    ends = list(itertools.accumulate(map(len, pieces), initial=0))
    return [
        _tied(shown[start:end]) if end > start else "" for start, end in itertools.pairwise(ends)
    ]


def parted(text: str) -> tuple[str, str]:
    """Part the space in front of a token from what can be marked; spaces alone become signs."""
    word = text.lstrip(" ")
    return (text[: len(text) - len(word)], word) if word else ("", SPACE * len(text))


def _tied(shown: Sequence[str]) -> str:
    return ("" if shown[0] else TIE) + "".join(shown)


def _bytes(token: str) -> bytes:
    """A token that is no byte-level one was added to the vocabulary as it is."""
    codes = [BYTE_OF.get(ord(character)) for character in token]
    known = [code for code in codes if code is not None]
    return bytes(known) if len(known) == len(codes) else token.encode()


def _characters(data: bytes) -> list[str]:
    """For each byte: the character that begins there, its number, or nothing."""
    shown: list[str] = []
    while len(shown) < len(data):
        at = len(shown)
        size = _size(data[at])
        try:
            shown.append(visible(data[at : at + size].decode()))
            shown.extend([""] * (size - 1))
        except UnicodeDecodeError:
            shown.append(f"\\x{data[at]:02X}")
    return shown


def _size(first: int) -> int:
    """The bytes of a character of UTF-8, by its first one."""
    return 1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)
