import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.tokens import sentences

ENGLISH = [
    ["Dr. Smith went to Washington.", "He paid $3.14 for it."],
    ["Mr. and Mrs. Jones arrived at 10 a.m. on Monday.", "They left."],
    ["He lives in the U.S. and works for the U.S. Army.", "She does not."],
    ["See Fig. 3 and e.g. section 4.2.", "It works."],
    ["Wait...", "What?!", "No!", "Yes."],
    ['"Is it?" she asked.', '"It is!"', "He left."],
    ['He said: "I am tired. I will go."', "Then he went."],
    ["It cost $5.50 (approx. 4 EUR).", "Fine."],
    ["Visit www.example.com today.", "Mail a.b@c.de now."],
    ["J. R. R. Tolkien wrote it.", "C. S. Lewis read it."],
    ["We make a good team, you and I.", "Did you see Albert I. Jones yesterday?"],
    ["She has a Ph.D. in physics.", "She teaches."],
    ["Version 1.2.3 is out.", "Version 2.0 is not."],
]
CHINESE = [
    ["天气很好！", "真的吗？", "是的。"],
    ["圆周率是3.14。", "版本1.2.3发布了。"],
    ["他说：“今天很冷。我不去。”", "我同意。"],
    ["第二句！？", "第三句；还是第三句。"],
    ["是的……也许吧。", "好。"],
    ["價格是3.14元。", "下一句"],
    ["「六劇」（第二期）的第二部作品。", "他走了。"],
    ["Hello world.", "你好。"],
]


def test_lines_are_stripped_and_empty_ones_left_out():
    assert sentences.lines(" One. Two. \n\n\t\u3000\nthree\r\n") == ["One. Two.", "three"]


@pytest.mark.parametrize("expected", ENGLISH)
def test_english_is_cut_at_the_ends_of_sentences(expected):
    assert sentences.split(" ".join(expected), "en") == expected


@pytest.mark.parametrize("expected", CHINESE)
def test_chinese_is_cut_after_its_marks(expected):
    assert sentences.split("".join(expected), "zh") == expected


def test_the_rules_are_those_of_the_language():
    text = "Він жив на вул. Шевченка. Потім пішов."

    assert sentences.split(text, "uk") == ["Він жив на вул. Шевченка.", "Потім пішов."]
    assert len(sentences.split(text, "ru")) == 3


def test_a_sentence_never_goes_over_the_end_of_a_line():
    assert sentences.split("No end\n here. And\nhere.", "en") == ["No end", "here.", "And", "here."]


MARKS = ".!?。！？…\"'“”‘’«»()（）「」[]:;•*-@/&<>"
SPACES = " \t\x85\xa0\u2028\u3000\u200b\x1c\x00\r\n"
POINTS = ["A. ", "Dr. ", "U.S.", "e.g.", "i.e.", "1. ", "(a) ", "a@b.cd", "http://a.b", "ул."]
PIECES = st.sampled_from([*MARKS, *SPACES, *POINTS, "The ", "é", "ß", "👍🏽"])
TEXTS = st.lists(PIECES | st.text(max_size=4)).map("".join)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(sorted(sentences.LANGUAGES)), st.sampled_from([1, 3, 10, 4_000]))
def test_nothing_but_white_space_is_lost(text, language, stretch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentences, "STRETCH", stretch)
        found = sentences.split(text, language)

    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(sentence and sentence == sentence.strip() for sentence in found)
    assert not any("\n" in sentence for sentence in found)


def test_wide_white_space_after_an_initial_is_survived():
    assert sentences.split("Call A\xa0. I see.\u2028Then go.", "en") == [
        "Call A\xa0. I see.",
        "Then go.",
    ]


def test_a_line_longer_than_a_stretch_is_cut_in_the_same_places(monkeypatch):
    expected = [f"This is sentence number {number}, said Dr. Smith." for number in range(200)]
    monkeypatch.setattr(sentences, "STRETCH", 100)

    assert sentences.split(" ".join(expected), "en") == expected


def test_a_sentence_longer_than_a_stretch_stays_whole(monkeypatch):
    expected = ["word " * 50 + "end.", "A short one."]
    monkeypatch.setattr(sentences, "STRETCH", 100)

    assert sentences.split(" ".join(expected), "en") == expected


def test_an_open_quotation_mark_keeps_no_more_than_a_stretch_together(monkeypatch):
    monkeypatch.setattr(sentences, "STRETCH", 100)

    assert len(sentences.split("他说：“" + "今天很冷。" * 200, "zh")) > 100


def test_an_unknown_language_is_refused():
    sentences.require("en")
    sentences.require("zh")

    with pytest.raises(UserError, match="--language klingon: no rules") as error:
        sentences.require("klingon")
    assert "am ar bg" in error.value.hint
    assert "--sentences lines" in error.value.hint
