"""CMRC 2018 against the rules of its official script, written down a second time.

The script cuts what is not Chinese with NLTK; where NLTK is not installed, the texts of these tests
are ones that it would cut at white space only.
"""

import random

import pytest

from unmask.finetune.metrics.cmrc import cmrc, f1, segments

SPECIAL = [
    *(
        "-",
        ":",
        "_",
        "*",
        "^",
        "/",
        "\\",
        "~",
        "`",
        "+",
        "=",
        "，",
        "。",
        "：",
        "？",
        "！",
        "“",
        "”",
    ),
    *("；", "’", "《", "》", "……", "·", "、", "「", "」", "（", "）", "－", "～", "『", "』"),
]
PLAIN = [
    *("中", "国", "人", "民", "一", "龥", "龦", "ひ", "〇", "Word", "word", "X", "2018", "10", "é"),
    *(" ", "  ", "\n", "\u3000", "……", "…"),
]
MIXED = [
    "it's",
    "don't",
    "3.5",
    "1,000",
    "St. Louis",
    "U.S.",
    "cannot",
    "(",
    ")",
    '"',
    "'",
    ".",
    "!",
]


def official_segments(text, tokenize):
    found, run = [], ""
    for char in text.lower().strip():
        if char in SPECIAL:
            continue
        if "\u4e00" <= char <= "\u9fa5":
            found += [*tokenize(run), char]
            run = ""
        else:
            run += char
    return found + tokenize(run)


def official(references, predictions, tokenize):
    em = f1 = 0.0
    for question, answers in references.items():
        if question not in predictions:
            continue
        said = predictions[question]
        em += any(official_plain(said) == official_plain(answer) for answer in answers)
        f1 += max(
            official_f1(official_segments(answer, tokenize), official_segments(said, tokenize))
            for answer in answers
        )
    total = len(references)
    em, f1 = 100 * em / total, 100 * f1 / total
    return {"em": em, "f1": f1, "average": (em + f1) / 2, "total": total}


def official_plain(text):
    return "".join(char for char in text.lower().strip() if char not in SPECIAL)


def official_f1(there, said):
    longest, row = 0, [0] * (len(said) + 1)
    for one in there:
        row = [0] + [row[place] + 1 if one == other else 0 for place, other in enumerate(said)]
        longest = max(longest, *row)
    if longest == 0:
        return 0.0
    precision, recall = longest / len(said), longest / len(there)
    return 2 * precision * recall / (precision + recall)


def test_cmrc_scores_as_the_official_script():
    draw = random.Random(0)
    for _ in range(1000):
        references, predictions = _questions(draw, SPECIAL + PLAIN)

        expected = official(references, predictions, str.split)
        assert cmrc(references, predictions) == pytest.approx(expected)


def test_cmrc_scores_with_nltk_as_the_official_script():
    nltk = pytest.importorskip("nltk.tokenize")
    draw = random.Random(0)
    for _ in range(1000):
        references, predictions = _questions(draw, SPECIAL + PLAIN + MIXED)

        expected = official(references, predictions, nltk.NLTKWordTokenizer().tokenize)
        assert cmrc(references, predictions) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("在1949年，中国", ["在", "1949", "年", "中", "国"]),
        ("Windows XP系统", ["windows", "xp", "系", "统"]),
        ("it's 3.5。", ["it", "'s", "3.5"]),
        ("a-b", ["ab"]),  # the hyphen goes before the words are cut
        ("…", ["…"]),
        ("", []),
    ],
)
def test_segments_are_chinese_characters_and_words(text, expected):
    assert segments(text) == expected


def test_f1_is_of_the_longest_run_not_of_a_bag():
    assert f1("民人", "人民") == pytest.approx(0.5)
    assert f1("中国人民", "中国的人民") == pytest.approx(2 * 2 / (4 + 5))


def _questions(draw, pieces):
    references, predictions = {}, {}
    for number in range(draw.randint(1, 6)):
        answers = ["".join(draw.choices(pieces, k=draw.randint(0, 8))) for _ in range(3)]
        one = draw.choice(answers)
        said = [one, one[1:], one[:-1], one + draw.choice(pieces), one.upper(), one[::-1], ""]
        references[f"q{number}"] = answers
        if draw.random() < 0.9:
            predictions[f"q{number}"] = draw.choice(said)
    return references, predictions
