"""The sentences of a document: its lines, or its lines cut into sentences by sentencex."""

import re
from collections.abc import Iterator

import sentencex

from unmask.core.errors import UserError

RULES = (
    "am ar bg bn ca da de el en es fi fr gu hi hy it ja kk kn ml mr my nl pa pl pt ru sk ta te uk"
)
LANGUAGES = frozenset({*RULES.split(), "zh"})
"""The languages for which sentencex has rules, and Chinese, for which the marks 。！？ do."""

STRETCH = 4_000
"""Characters read at once: sentencex is quadratic in the sentences of a text, and a quotation mark
that is never closed keeps it from cutting the rest."""

WIDE_SPACE = re.compile(r"[^\S\x00-\x7f]")
"""White space of more than one byte, over which sentencex 1.0 stumbles ("A\u00a0." is a panic)."""


def lines(text: str) -> list[str]:
    """Take each line with text in it, stripped."""
    return [stripped for line in text.split("\n") if (stripped := line.strip())]


def split(text: str, language: str) -> list[str]:
    """Cut each line into sentences, stripped; nothing but white space between them is left out.

    In doubt sentencex does not cut. `language` is one of `LANGUAGES`.
    """
    sentences = (sentence for line in lines(text) for sentence in _cut(line, language))
    return [stripped for sentence in sentences if (stripped := sentence.strip())]


def require(language: str) -> None:
    """Raise UserError unless there are rules for the language, for sentencex would take English."""
    if language not in LANGUAGES:
        raise UserError(
            f"--language {language}: no rules to find its sentences",
            f"one of {' '.join(sorted(LANGUAGES))}; or --sentences lines, one sentence a line",
        )


def _cut(line: str, language: str) -> Iterator[str]:
    """Yield the sentences of a line, a stretch at a time.

    The last one of a stretch may go on in the next, so it is read again from its beginning; if it
    fills the whole stretch, it is read on.
    """
    begin = end = 0
    while end < len(line):
        stretch = line[end : end + STRETCH]
        found = sentencex.segment(language, WIDE_SPACE.sub(" ", stretch))
        if end + STRETCH < len(line):
            found.pop()
        for sentence in found:
            end += len(sentence)
            yield line[begin:end]
            begin = end
        if not found:
            end += STRETCH
