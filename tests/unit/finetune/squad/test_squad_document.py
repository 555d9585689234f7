import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.finetune.squad import document
from unmask.finetune.squad.document import Documents
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

SCRIPTS = [
    "The cat sat on the mat, didn't it?",
    "北京是中国的首都。",
    "서울은 대한민국의 수도이다.",
    "कुछ लोग दिल्ली में रहते हैं।",
    "مُحَمَّد مرحبا بالعالم",
    "cafe\u0301  nai\u0308ve\t❤️ 👩‍👩‍👧\n\u3000end\u00a0",
]
LETTERS = sorted({letter for text in SCRIPTS for letter in text} | set("\x00\u200b\u2028é "))
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [piece for letter in LETTERS if letter.strip() for piece in (letter, f"##{letter}")]
BPE = train(SCRIPTS * 3, 400)
BERT = word_piece({piece: id_ for id_, piece in enumerate(SPECIALS + PIECES)}, lowercase=True)
TOKENIZERS = pytest.mark.parametrize("tokenizer", [BPE, BERT], ids=["bpe", "bert"])
TEXTS = st.lists(st.text(st.sampled_from(LETTERS), max_size=40), min_size=1, max_size=4)


def spans(documents, number=0):
    here = slice(*documents.starts_N1[number : number + 2])
    return list(zip(documents.begin_T[here].tolist(), documents.end_T[here].tolist(), strict=True))


@TOKENIZERS
@settings(max_examples=200, deadline=None)
@given(texts=TEXTS)
def test_tokens_stand_for_text_in_order_without_space_around_it(tokenizer, texts):
    documents = Documents.of(texts, tokenizer)

    for number, text in enumerate(texts):
        found = spans(documents, number)
        assert all(0 <= begin <= end <= len(text) for begin, end in found)
        assert found == sorted(found)
        assert [end for _, end in found] == sorted(end for _, end in found)
        for begin, end in found:
            assert text[begin:end] == text[begin:end].strip()


@settings(max_examples=200, deadline=None)
@given(texts=TEXTS)
def test_byte_level_tokens_stand_for_every_character_but_space(texts):
    documents = Documents.of(texts, BPE)

    for number, text in enumerate(texts):
        covered = {place for span in spans(documents, number) for place in range(*span)}
        assert {place for place, letter in enumerate(text) if letter.strip()} <= covered


@TOKENIZERS
@settings(max_examples=50, deadline=None)
@given(texts=TEXTS)
def test_a_text_has_the_same_tokens_alone_and_among_others(tokenizer, texts):
    together = Documents.of(texts, tokenizer)

    for number, text in enumerate(texts):
        alone = Documents.of([text], tokenizer)
        here = slice(*together.starts_N1[number : number + 2])
        assert alone.ids_T.tolist() == together.ids_T[here].tolist()
        assert alone.ids_T.tolist() == tokenizer.encode([text])[0].ids[1:-1]
        assert spans(alone) == spans(together, number)


@TOKENIZERS
def test_many_texts_are_encoded_a_part_at_a_time(tokenizer, monkeypatch):
    at_once = Documents.of(SCRIPTS, tokenizer)
    monkeypatch.setattr(document, "TEXTS_AT_ONCE", 2)
    in_parts = Documents.of(SCRIPTS, tokenizer)

    for name in ("ids_T", "begin_T", "end_T", "starts_N1"):
        assert np.array_equal(getattr(at_once, name), getattr(in_parts, name))


@TOKENIZERS
def test_no_texts_have_no_tokens(tokenizer):
    assert Documents.of([], tokenizer).starts_N1.tolist() == [0]


def test_the_space_before_a_word_is_not_its_own_whatever_the_tokenizer_says():
    json = BPE.json.replace('"trim_offsets":true', '"trim_offsets":false')
    json = json.replace('"trim_offsets": true', '"trim_offsets": false')
    untrimmed = Tokenizer(json)
    assert untrimmed.encode(["on the mat"])[0].offsets != BPE.encode(["on the mat"])[0].offsets

    for text in SCRIPTS:
        assert spans(Documents.of([text], untrimmed)) == spans(Documents.of([text], BPE))


def test_a_character_of_several_bytes_is_whole_in_each_of_its_tokens():
    lone = Documents.of(["x \U0001f98a"], BPE)

    assert len(lone.ids_T) > 3
    assert set(spans(lone)[-3:]) == {(2, 3)}


@pytest.mark.parametrize("text", ["cafe\u0301", "कु", "مُ", "❤️"])
def test_marks_that_bert_drops_belong_to_the_letter_before(text):
    assert unicodedata.category(text[-1]) == "Mn"
    assert BERT.encode([f"a {text} b"])[0].offsets[-3][1] < 2 + len(text), "the mark is dropped"

    assert spans(Documents.of([f"a {text} b"], BERT))[-2][1] == 2 + len(text)


def test_marks_that_are_tokens_are_not_of_the_letter_before():
    cased = word_piece({piece: id_ for id_, piece in enumerate(SPECIALS + PIECES)}, lowercase=False)

    assert spans(Documents.of(["cafe\u0301"], cased)) == [(n, n + 1) for n in range(5)]
