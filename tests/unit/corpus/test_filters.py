import unicodedata

import pytest

from unmask.corpus.config import FilterConfig
from unmask.corpus.quality import filters
from unmask.corpus.quality.filters import FILTERS, chosen
from unmask.corpus.quality.words import words

ENGLISH = "The cat sat on the mat, and the dog looked on from the other side of the room."
GERMAN = "Die Katze saß auf der Matte, und der Hund sah von der anderen Seite des Zimmers zu."


def first(text, **limits):
    """The name under which a text is dropped; None if it is kept."""
    config = FilterConfig(**limits)
    return next((rule.name for rule in chosen(config) if rule.drops(text, config)), None)


@pytest.mark.parametrize(
    ("limits", "kept", "dropped", "name"),
    [
        ({"min_characters": 3}, "abc", "ab", "short"),
        ({"max_characters": 3}, "abc", "abcd", "long"),
        ({"min_words": 3}, "a b c", "a b\n\nand", None),
        ({"min_words": 3}, "第三次", "第三", "few_words"),
        ({"min_words": 3}, "สวัส", "ab cd", "few_words"),
        ({"max_repeated_lines": 0.5}, "a\na\n\nb\nb", "a\na\n\na", "repeated_lines"),
        ({"max_repeated_lines": 0}, "a\n\nb\n\nc", "a\nb\na", "repeated_lines"),
        ({"max_symbol_share": 0.5}, "ab😀😀", "ab😀😀😀", "symbols"),
        ({"max_symbol_share": 0}, "Well – “yes”, he said; (no?) 5%!", "a = b", "symbols"),
        ({"max_symbol_share": 0}, "हिन्दी की किताब। 《书》，好。", "{a}", "symbols"),
        ({"max_symbol_share": 0.2}, "5€ a day", "\ue000\ue001 a", "symbols"),
        ({"languages": ("en", "fr")}, ENGLISH, GERMAN, "language"),
    ],
)
def test_a_filter_drops_what_is_beyond_its_limit(limits, kept, dropped, name):
    assert first(kept, **limits) is None
    assert first(dropped, **limits) == name


def test_nothing_is_dropped_unless_it_is_asked_for():
    assert chosen(FilterConfig()) == []


def test_an_uncertain_language_is_dropped_only_with_a_limit():
    text = "ok ok"

    assert first(text, languages=("en",), min_language_probability=0.999) == "language"
    assert first(ENGLISH, languages=("en",), min_language_probability=0.9) is None


def test_the_first_filter_in_the_fixed_order_counts_the_document():
    limits = FilterConfig(min_characters=10, max_symbol_share=0.1, languages=("en",))

    assert [rule.name for rule in FILTERS] == [
        *("short", "long", "few_words", "repeated_lines", "symbols", "language")
    ]
    assert [rule.name for rule in chosen(limits)] == ["short", "symbols", "language"]
    assert first("😀", min_characters=10, max_symbol_share=0.1) == "short"


def test_symbols_are_what_the_categories_of_unicode_say():
    for code in [*range(0x3000), *range(0x1F000, 0x1F800), 0xE000, 0x10FFFD]:
        letter = chr(code)
        category = unicodedata.category(letter)
        is_symbol = category in ("Sm", "Sc", "Sk", "So", "Co", "Cn") or letter in "#*@\\_{}"
        for text in (f"a{letter}b{letter}", f"é{letter}第{letter}"):
            assert filters._symbols(text) == 2 * is_symbol, hex(code)


def test_words_are_cut_at_white_space_and_in_scripts_without_it_at_every_character():
    assert words("don't stop,\nit is\u00a0so") == ["don't", "stop,", "it", "is", "so"]
    assert words("GPT 第三版 isn't 三!") == ["GPT", "第", "三", "版", "isn't", "三", "!"]
    assert words("naïve café") == ["naïve", "café"]
