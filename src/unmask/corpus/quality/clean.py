"""Cleaning: one small step after another, each a function of a text.

Letters, spaces within a line and invisible joiners stay: Persian, Indic scripts and emoji are
spelt with the zero-width joiner and non-joiner, right-to-left text needs its direction marks.

Most texts need few of the steps. So each step first asks what a single pass of C code can answer,
and a text that needs nothing is given back as it is.
"""

import re
import unicodedata

_LINE_ENDS = ("\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_ASCII_CONTROL = bytes(code for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n")
_LATIN_CONTROL = re.compile(b"\xc2[\x80-\x9f]")
"""The control characters from U+0080 on, as they stand in UTF-8."""
_LINE_TAIL = re.compile(r"\n(?<=\s\n)")
"""White space before a line end, sought from the line end, as there are fewer of those."""
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
    for line_end in _LINE_ENDS:
        text = text.replace(line_end, "\n")
    return text


def replace_tabs(text: str) -> str:
    """Write a tab as one space."""
    return text.replace("\t", " ")


def drop_control_characters(text: str) -> str:
    """Drop the category Cc except the line feed (and tab), and byte order marks."""
    return _CONTROL.sub("", text) if _has_control_characters(text) else text


def compose(text: str) -> str:
    """Normalise to NFC: the same letters are the same code points, and nothing else changes."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def strip_line_tails(text: str) -> str:
    """Drop white space at the ends of lines."""
    if not _LINE_TAIL.search(text) and text.rstrip() == text.rstrip("\n"):
        return text
    return "\n".join(line.rstrip() for line in text.split("\n"))


def collapse_blank_lines(text: str) -> str:
    """Leave one blank line where there are several, and none at either end."""
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip("\n")


def _has_control_characters(text: str) -> bool:
    encoded = text.encode("utf-8", "surrogatepass")
    return (
        len(encoded.translate(None, _ASCII_CONTROL)) < len(encoded)
        or "\ufeff" in text
        or (len(encoded) > len(text) and bool(_LATIN_CONTROL.search(encoded)))
    )
