"""Text that people look at: nothing in it moves a cursor or turns a line around."""

import unicodedata
from collections.abc import Iterable

UNSEEN = {"Cc", "Cs", "Cn", "Co", "Zl", "Zp"}
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Characters that turn the direction of the text after them, such as U+202E."""


def visible(text: Iterable[str]) -> str:
    """Write characters that have no look of their own as numbers."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in UNSEEN
    if hidden or unicodedata.bidirectional(character) in TURNS:
        return f"\\u{ord(character):04X}"
    return character
