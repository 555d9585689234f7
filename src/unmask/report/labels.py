"""Text on a page: what it is written as, how wide it is drawn, what is left of a long label."""

import unicodedata
from html import escape

from unmask.core.visible import visible

COLUMN = 6.8
"""Units of the picture that a letter takes at 12 pixels, about; a Chinese one takes two."""


def xml(text: str) -> str:
    """Text that stands for itself, whatever is in it."""
    return escape(visible(text))


def columns(text: str) -> int:
    """How many letters wide a text is."""
    return sum(_columns(letter) for letter in text)


def width(text: str) -> float:
    """How wide a text is drawn."""
    return COLUMN * columns(text)


def shortened(text: str, most: int) -> str:
    """A text, made visible, of at most so many letters; what is left out is an ellipsis."""
    text = visible(text)
    if columns(text) <= most:
        return text
    kept, taken = "", 1
    for letter in text:
        taken += _columns(letter)
        if taken > most:
            break
        kept += letter
    return f"{kept.rstrip()}…"


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
