"""Rules that leave documents out: each one function of a cleaned text, off until it is asked for.

The rules are of Gopher (Rae et al. 2021, appendix A) and C4 (Raffel et al. 2020, section 2.2); the
limits are the user's.
"""

import functools
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from unmask.corpus.config import FilterConfig
from unmask.corpus.quality.words import words

_MARKUP = "#*@\\_{}"
"""Punctuation by category, but of code and markup rather than of prose (C4 leaves out whatever has
a curly bracket, Gopher counts the number sign)."""


_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")


class Filter(NamedTuple):
    """A rule: the name under which it is counted, the setting that asks for it, the function."""

    name: str
    setting: str
    drops: Callable[[str, FilterConfig], bool]


def is_short(text: str, limits: FilterConfig) -> bool:
    """Find texts of fewer characters than `min_characters`."""
    return limits.min_characters is not None and len(text) < limits.min_characters


def is_long(text: str, limits: FilterConfig) -> bool:
    """Find texts of more characters than `max_characters`."""
    return limits.max_characters is not None and len(text) > limits.max_characters


def has_few_words(text: str, limits: FilterConfig) -> bool:
    """Find texts of fewer words than `min_words` (Gopher, A.1.1: 50)."""
    return limits.min_words is not None and len(words(text)) < limits.min_words


def repeats_lines(text: str, limits: FilterConfig) -> bool:
    """Find texts with more than `max_repeated_lines` of lines seen before (Gopher, table A1: 0.3).

    Blank lines do not count.
    """
    if limits.max_repeated_lines is None:
        return False
    lines = [line for line in text.split("\n") if line]
    return len(lines) - len(set(lines)) > limits.max_repeated_lines * len(lines)


def has_symbols(text: str, limits: FilterConfig) -> bool:
    """Find texts with more than `max_symbol_share` of symbols (after Gopher, A.1.1: 0.1).

    Symbols are Unicode's category S (with emoji, arithmetic and currency signs), characters that
    have no meaning of their own (private use, unassigned), and the punctuation of markup.
    """
    if limits.max_symbol_share is None:
        return False
    return _symbols(text) > limits.max_symbol_share * len(text)


def is_in_another_language(text: str, limits: FilterConfig) -> bool:
    """Find texts that are most likely in none of `languages`, or not likely enough."""
    if not limits.languages:
        return False
    from unmask.corpus.quality import language

    code, probability = language.guess(text)
    return code not in limits.languages or probability < (limits.min_language_probability or 0)


FILTERS = (
    Filter("short", "min_characters", is_short),
    Filter("long", "max_characters", is_long),
    Filter("few_words", "min_words", has_few_words),
    Filter("repeated_lines", "max_repeated_lines", repeats_lines),
    Filter("symbols", "max_symbol_share", has_symbols),
    Filter("language", "languages", is_in_another_language),
)
"""In the order in which they are asked, cheapest first; the first that drops a text counts it."""


def chosen(limits: FilterConfig) -> list[Filter]:
    """List the filters that the settings ask for."""
    return [rule for rule in FILTERS if getattr(limits, rule.setting) not in (None, ())]


def _symbols(text: str) -> int:
    """Count the symbols of a text."""
    if text.isascii():
        return len(text) - len(text.encode().translate(None, _ascii_symbols()))
    beyond = sum(map(_is_symbol, _BEYOND_16_BITS.findall(text)))
    return len(_symbols_of_16_bits().findall(text)) + beyond


@functools.cache
def _ascii_symbols() -> bytes:
    return bytes(code for code in range(128) if _is_symbol(chr(code)))


@functools.cache
def _symbols_of_16_bits() -> re.Pattern[str]:
    """Build their class; one with characters beyond would be searched a hundred times slower."""
    symbols = filter(_is_symbol, map(chr, range(1 << 16)))
    return re.compile(f"[{''.join(map(re.escape, symbols))}]")


def _is_symbol(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] == "S" or category in ("Co", "Cn") or letter in _MARKUP
