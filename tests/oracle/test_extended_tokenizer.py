"""An extended RoBERTa tokenizer against transformers, and against learning that never stopped."""

import gzip
import json

import pytest
from transformers import AutoTokenizer

from unmask.tokenizer import fast, imports, pretokens
from unmask.tokenizer.counts import words_of
from unmask.tokenizer.extend import extend
from unmask.tokenizer.train import train

NASTY = [
    "",
    "Hello world!",
    "  leading, trailing and   many spaces   ",
    "family 👩‍👩‍👧‍👦 flag 🏳️‍🌈 skin 👍🏽",
    "e\u0301 is é, Z̷̡̛a̶l̵g̸o̵, Å and Å",
    "中文字符与English混排，日本語のテキスト 한국어",
    "a <mask> b<mask>c  <mask>",
    "<s>bold</s> <pad><unk>",
    "don't we'll I'VE 1234567 3.14e-10 $£€",
]


def lines_of(shared_data, name, characters):
    with gzip.open(shared_data / name / "valid.txt.gz", "rt", encoding="utf-8") as file:
        text = file.read(characters)
    return [stripped for line in text.split("\n") if (stripped := line.strip())]


@pytest.fixture(scope="module")
def lines(shared_data):
    """Text that RoBERTa's vocabulary was not made for."""
    return lines_of(shared_data, "wiki_zh", 60_000)


@pytest.fixture(scope="module")
def old(shared_data):
    return imports.read(imports.find(shared_data / "bpe" / "roberta"))


@pytest.fixture(scope="module")
def new(old, lines):
    return extend(old, words_of(pretokens.count(lines)), 51_000)


def test_transformers_reads_the_same_ids_from_the_folder(new, lines, tmp_path):
    new.save(tmp_path)

    theirs = AutoTokenizer.from_pretrained(str(tmp_path))

    assert len(theirs) == new.vocabulary == 51_000
    assert theirs.mask_token_id == new.mask_id == 50_264
    texts = [*NASTY, *lines[:200]]
    assert [encoding.ids for encoding in new.encode(texts)] == theirs(texts)["input_ids"]


def test_the_fast_encoder_gives_the_same_ids(new, lines):
    encoder = fast.line_encoder(new)

    assert encoder.name == "tiktoken"
    expected = new.encode_lines(lines)
    found = encoder(lines)
    assert found.ids_T.tolist() == [id_ for ids in expected for id_ in ids]
    assert any(id_ > 50_264 for ids in expected for id_ in ids)


def test_english_is_cut_as_before(old, new, shared_data):
    english = lines_of(shared_data, "wiki_en", 60_000)

    before, after = old.encode_lines(english), new.encode_lines(english)

    kept = [ids for ids in after if max(ids) <= 50_264]
    assert len(kept) > 0.9 * len(english)
    assert all(x == y for x, y in zip(before, after, strict=True) if max(y) <= 50_264)
    texts = [new.decode(ids) for ids in after]
    assert texts == english


def test_learning_on_real_text_equals_learning_that_never_stopped(shared_data):
    english = lines_of(shared_data, "wiki_en", 200_000)

    begun = train(english, 600)
    went_on = extend(begun, words_of(pretokens.count(english)), 1_500)

    merges = [json.loads(each.json)["model"]["merges"] for each in (went_on, train(english, 1_500))]
    assert merges[0] == merges[1]
