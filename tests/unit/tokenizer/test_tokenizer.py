import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

BPE = train(["the cat sat on the mat", "naïve 猫 the 👩‍👩‍👧 cat"] * 3, 280)
BERT = word_piece(
    {
        token: id_
        for id_, token in enumerate(
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "cafe"]
        )
    },
    lowercase=True,
)
TOKENIZERS = pytest.mark.parametrize("tokenizer", [BPE, BERT], ids=["bpe", "bert"])


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_decoding_an_encoded_line_gives_it_back(line):
    assert BPE.decode(BPE.encode_lines([line])[0]) == line


@settings(max_examples=200, deadline=None)
@given(st.text().filter(lambda text: "<" not in text))
def test_decoding_an_encoded_text_gives_it_back(text):
    assert BPE.decode(BPE.encode([text])[0].ids) == text


def test_lines_take_written_special_tokens_as_text():
    line = "a <mask> in </s> <s>text<pad>"
    ids = BPE.encode_lines([line])[0]

    assert not set(ids) & set(BPE.special_ids)
    assert BPE.decode(ids, skip_special_tokens=False) == line


def test_texts_take_written_special_tokens_as_such():
    ids = BPE.encode(["the <mask>"])[0].ids

    assert ids[-2:] == [BPE.mask_id, BPE.eos_id]
    assert BPE.decode(ids[1:-2]) == "the", "<mask> takes the space before it"


def test_pairs_have_the_separators_and_types_of_their_family():
    roberta = BPE.encode(["the"], ["the"])[0]
    bert = BERT.encode(["the"], ["cats"])[0]

    assert roberta.tokens[0] == "<s>"
    assert roberta.tokens.count("</s>") == 3
    assert set(roberta.type_ids) == {0}
    assert bert.tokens == ["[CLS]", "the", "[SEP]", "cat", "##s", "[SEP]"]
    assert bert.type_ids == [0, 0, 0, 1, 1, 1]


def test_accents_go_where_case_goes():
    cased = word_piece(json.loads(BERT.json)["model"]["vocab"], lowercase=False)

    assert BERT.encode(["Café"])[0].tokens[1:-1] == ["cafe"]
    assert cased.encode(["Café"])[0].tokens[1:-1] == ["[UNK]"]


@TOKENIZERS
def test_ids_of_the_roles_are_those_of_their_tokens(tokenizer):
    tokens = [
        tokenizer.token(id_)
        for id_ in (tokenizer.bos_id, tokenizer.pad_id, tokenizer.eos_id, tokenizer.unk_id)
    ]

    expected = {
        "roberta": ["<s>", "<pad>", "</s>", "<unk>"],
        "bert": ["[CLS]", "[PAD]", "[SEP]", "[UNK]"],
    }
    assert tokens == expected[tokenizer.family]
    assert tokenizer.token(tokenizer.mask_id) == tokenizer.mask_token


@TOKENIZERS
def test_truncation_leaves_nothing_behind(tokenizer):
    whole = tokenizer.encode(["the cat the cat"])[0].ids
    cut = tokenizer.encode(["the cat the cat"], max_length=4)[0].ids

    assert len(cut) == 4
    assert cut[-1] == tokenizer.eos_id
    assert tokenizer.encode(["the cat the cat"])[0].ids == whole
    assert len(tokenizer.encode_lines(["the cat the cat"])[0]) == len(whole) - 2


def test_truncation_takes_from_the_longer_text():
    encoding = BERT.encode(["the the the the the"], ["cat"], max_length=6)[0]

    assert encoding.tokens == ["[CLS]", "the", "the", "[SEP]", "cat", "[SEP]"]


def test_a_length_below_the_special_tokens_is_refused():
    with pytest.raises(UserError, match="max_length 3 does not even hold the 4 special tokens"):
        BPE.encode(["the"], ["cat"], max_length=3)


def test_unequal_numbers_of_texts_and_pairs_are_refused():
    with pytest.raises(ValueError, match="zip"):
        BPE.encode(["the", "cat"], ["cat"])


def test_threads_with_different_lengths_do_not_disturb_each_other():
    def lengths(max_length):
        return {len(BPE.encode(["the cat " * 9], max_length=max_length)[0]) for _ in range(50)}

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lengths, [3, 5, 7, 9])) == [{3}, {5}, {7}, {9}]


@TOKENIZERS
def test_saving_a_loaded_one_gives_the_same_bytes(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "once")
    loaded = Tokenizer.load(tmp_path / "once")
    loaded.encode(["the cat"], max_length=3)
    loaded.save(tmp_path / "twice")

    for path in (tmp_path / "once").iterdir():
        assert path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes(), path.name
    assert loaded.fingerprint == tokenizer.fingerprint


def test_padding_and_truncation_of_another_program_are_not_taken_over(tmp_path):
    table = json.loads(BERT.json)
    table["padding"] = {
        "strategy": {"Fixed": 9},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(table))

    assert Tokenizer.load(tmp_path).encode(["the"])[0].ids == [2, 5, 3]


def test_a_pickled_one_is_the_same():
    assert pickle.loads(pickle.dumps(BPE)).fingerprint == BPE.fingerprint


def test_an_id_outside_the_vocabulary_has_no_token():
    with pytest.raises(IndexError, match="id 280 in a vocabulary of 280"):
        BPE.token(280)


def test_a_folder_without_tokenizer_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no tokenizer\.json"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "not a tokenizer"),
        (b"\xff", "not UTF-8"),
        (BPE.json.replace('"<mask>"', '"<cask>"').encode(), "no special token <mask>"),
        (BPE.json.replace('"special": true', '"special": false').encode(), "no special token <s>"),
    ],
)
def test_a_tokenizer_that_cannot_be_used_is_refused_by_name(tmp_path, content, complaint):
    (tmp_path / "tokenizer.json").write_bytes(content)

    with pytest.raises(UserError, match=rf"tokenizer\.json: {complaint}"):
        Tokenizer.load(tmp_path)


def test_a_vocabulary_with_a_hole_is_refused():
    table = json.loads(BERT.json)
    del table["model"]["vocab"]["cat"]

    with pytest.raises(UserError, match="without gaps: id 6 is missing"):
        Tokenizer(json.dumps(table))


def test_another_kind_of_tokenizer_is_refused_by_its_parts():
    table = json.loads(BPE.json)
    table["pre_tokenizer"] = {"type": "Whitespace"}

    with pytest.raises(UserError, match=r"another kind \(NoneType, Whitespace, BPE, Roberta"):
        Tokenizer(json.dumps(table))


def test_a_post_processor_of_another_model_is_refused():
    table = json.loads(BPE.json)
    table["post_processor"]["sep"] = ["<mask>", BPE.mask_id]

    with pytest.raises(UserError, match="a pair of sentences becomes '<s> <mask> <mask> <mask>'"):
        Tokenizer(json.dumps(table))
