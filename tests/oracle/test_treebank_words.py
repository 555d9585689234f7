"""Words of English against NLTK, and by hand where it is not installed."""

import random

import pytest

from unmask.finetune.metrics.treebank import words

PIECES = [
    *("a", "b", "can", "not", "cannot", "gimme", "lemme", "gonna", "gotta", "wanna", "d'ye"),
    *("more'n", "'tis", "'twas", "don't", "i'm", "it's", "they'll", "'s", "x_", "é", "ß", "3.5"),
    *("1,000", "٣", "'", '"', "''", "``", "`", ".", "..", "...", ",", ":", ";", "@", "#", "$", "%"),
    *("&", "?", "!", "*", "(", ")", "[", "]", "{", "}", "<", ">", "-", "--", "—", "–", "«", "»"),
    *("“", "”", "‘", "’", "„", "…", " ", "  ", "\n", "\t", "\u3000"),
]


def test_words_are_those_of_nltk():
    nltk = pytest.importorskip("nltk.tokenize")
    draw, oracle = random.Random(0), nltk.NLTKWordTokenizer()

    for _ in range(20_000):
        text = "".join(draw.choices(PIECES, k=draw.randint(0, 6)))
        assert words(text) == oracle.tokenize(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("they'll save and invest more.", "they 'll save and invest more ."),
        ("hi, my name can't hello,", "hi , my name ca n't hello ,"),
        ('she said "stop!" (twice)', "she said `` stop ! '' ( twice )"),
        ("$3.88 for 1,000", "$ 3.88 for 1,000"),
        ("st. louis", "st. louis"),
        ("it ends. it begins.", "it ends. it begins ."),
        ("the u.s.", "the u.s ."),
        ("the boys' room", "the boys ' room"),
        ("cannot gimme wanna", "can not gim me wan na"),
        ("wait... what", "wait ... what"),
        ("rock 'n roll", "rock 'n roll"),
        ("'quoted", "' quoted"),
        ("1990–2000", "1990 – 2000"),
    ],
)
def test_words_by_hand(text, expected):
    assert words(text) == expected.split()
