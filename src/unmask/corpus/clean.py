"""Cleaning: one small step after another, each a function of a text.

Letters, spaces within a line and invisible joiners stay: Persian, Indic scripts and emoji are
spelt with the zero-width joiner and non-joiner, right-to-left text needs its direction marks.
"""

import re
import unicodedata

_LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_BLANK_LINES = re.compile("\n{3,}")


def clean(text: str) -> str:
    """Apply every step; cleaning a clean text changes nothing.

    Each line of the result is one unit (a sentence or a paragraph) to the later stages, and
    `splitlines()` of it gives the same lines as a split at line feeds.
    """
    for step in (
        unify_line_ends,
        replace_tabs,
        drop_control_characters,
        compose,
        strip_line_tails,
        collapse_blank_lines,
    ):
        text = step(text)
    return text


def unify_line_ends(text: str) -> str:
    """Write every mandatory line break of Unicode (UAX 14) as a line feed."""
    return _LINE_END.sub("\n", text)


def replace_tabs(text: str) -> str:
    """Write a tab as one space."""
    return text.replace("\t", " ")


def drop_control_characters(text: str) -> str:
    """Drop the category Cc except the line feed (and tab), and byte order marks."""
    return _CONTROL.sub("", text)


def compose(text: str) -> str:
    """Normalise to NFC: the same letters are the same code points, and nothing else changes."""
    return unicodedata.normalize("NFC", text)


def strip_line_tails(text: str) -> str:
    """Drop white space at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.split("\n"))


def collapse_blank_lines(text: str) -> str:
    """Leave one blank line where there are several, and none at either end."""
    return _BLANK_LINES.sub("\n\n", text).strip("\n")
