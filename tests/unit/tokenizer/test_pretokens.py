import random
from collections import Counter

import pytest
from tokenizers import pre_tokenizers

from unmask.tokenizer import pretokens

CUTTER = pre_tokenizers.ByteLevel(add_prefix_space=False)
PIECES = [
    *(" ", "  ", "   ", "\t", "\u00a0", "\u3000", "\u2028", "\u2003", "\x1c", "\x85", "\u180e"),
    *("the", "cat", "a", "I", "42", "7", "x86", "3.14", "don't", "'s", "'ll", "I'VE", "''", "'"),
    *(
        "-",
        "--",
        "...",
        "$",
        "(",
        "_",
        "\x7f",
        "\x00",
        "é",
        "naïve",
        "Ünï",
        "猫",
        "日本語",
        "привет",
    ),
    *(
        "\u00a3",
        "“",
        "”",
        "—",
        "²",
        "½",
        "٣",
        "Ⅷ",
        "👩‍👩‍👧",
        "e\u0301",
        "\u200d",
        "ǅ",
        "\U0010ffff",
    ),
]


def ours(lines):
    table = pretokens.count(lines)
    return dict(zip(table["word"].to_pylist(), table["count"].to_pylist(), strict=True))


def theirs(lines):
    counts = Counter()
    for line in lines:
        for _, (start, end) in CUTTER.pre_tokenize_str(line):
            counts[line[start:end].encode()] += 1
    return dict(counts)


@pytest.mark.parametrize("seed", range(40))
def test_words_are_those_of_the_byte_level_pre_tokenizer(seed):
    draw = random.Random(seed)
    lines = ["".join(draw.choices(PIECES, k=draw.randint(1, 12))) for _ in range(100)]

    assert ours(lines) == theirs(lines)
    assert ours([line.strip() for line in lines]) == theirs([line.strip() for line in lines])


def stand_alone(characters, between):
    """Which characters make a pre-token of their own between others of this kind."""
    line = between.join(["", *characters, ""])
    return {line[start:end] for _, (start, end) in CUTTER.pre_tokenize_str(line)} & set(characters)


def test_white_space_as_tokenizers_has_it_never_hides_from_the_tables():
    characters = [chr(code) for code in (*range(0x0B, 0xD800), *range(0xE000, 0x11000))]
    spaces = stand_alone(stand_alone(stand_alone(characters, "-"), "a"), "1") - set(" -a1")

    assert spaces > {"\u00a0", "\u1680", "\u2000", "\u200a", "\u2028", "\u202f", "\u205f", "\u3000"}
    assert not {c for c in spaces if pretokens._NEVER_BEGINS_A_SPACE[c.encode()[0]]}
    assert not {c for c in spaces if pretokens._NEVER_ENDS_A_SPACE[c.encode()[-1]]}
    draw = random.Random(0)
    pieces = [*sorted(spaces), *" " * 30, *"a1-\u0080\u00e0\u2090\u300a"]
    lines = ["".join(draw.choices(pieces, k=12)) for _ in range(3000)]
    assert ours(lines) == theirs(lines)


def test_every_pair_of_ascii_is_cut_like_there():
    characters = [chr(code) for code in range(1, 128) if code != 0x0A]
    lines = [f"{a}{b} {b}{a}1 {b}" for a in characters for b in characters]

    assert ours(lines) == theirs(lines)


def test_words_are_sorted_by_their_bytes_and_stand_once(monkeypatch):
    monkeypatch.setattr(pretokens, "_BATCH_CHARACTERS", 8)
    table = pretokens.count(["b a", "Z é", "a b", "", "z a"])

    words = table["word"].to_pylist()
    assert words == sorted(set(words)) == [b" a", b" b", " é".encode(), b"Z", b"a", b"b", b"z"]
    assert table["count"].to_pylist() == [2, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("lines", [[], [""], ["", ""]])
def test_no_text_has_no_words(lines):
    assert pretokens.count(lines).equals(pretokens.SCHEMA.empty_table())
