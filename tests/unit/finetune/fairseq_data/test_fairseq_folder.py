import json

import pytest

from unmask.core.errors import UserError
from unmask.finetune.fairseq_data import folder as folders
from unmask.tokenizer import build
from unmask.tokenizer.family import BERT
from unmask.tokenizer.train import train

BPE = train(["the cat sat", "the mat"] * 3, 265)
NUMBERS = {BPE.token(id_): id_ + 1000 for id_ in range(4, 264)}
WORDS = build.word_piece(
    {token: id_ for id_, token in enumerate([*BERT.specials, "the", "cat", "##s"])}, lowercase=True
)
THE, CAT, S = 6, 4, 5
"""Ids in the dictionary of words below."""


@pytest.fixture
def words(tmp_path, write):
    """A folder whose dictionary has tokens as they are, in an order of its own."""
    for name in ("input0", "label"):
        (tmp_path / name).mkdir()
    (tmp_path / "input0" / "dict.txt").write_text("cat 9\n##s 8\nthe 7\nmadeupword0000 0\n")
    (tmp_path / "label" / "dict.txt").write_text("no 2\nyes 1\n")
    write(tmp_path / "input0" / "train", [[THE, CAT, S, 2], [THE, 2]])
    write(tmp_path / "label" / "train", [[5, 2], [4, 2]])
    return tmp_path


def ids(sequences):
    return [
        sequences.ids_T[a:b].tolist()
        for a, b in zip(sequences.starts_N1[:-1], sequences.starts_N1[1:], strict=True)
    ]


def said(folder, tokenizer=WORDS, split="train"):
    with pytest.raises(UserError) as caught:
        folders.read_classes(folder, split, tokenizer, max_length=9)
    return caught.value.what


def test_tokens_are_translated_one_by_one(words):
    found = folders.read_classes(words, "train", WORDS, max_length=9)

    assert ids(found.sequences) == [
        WORDS.encode(["the cats"])[0].ids,
        WORDS.encode(["the"])[0].ids,
    ]
    assert found.labels.names == ("no", "yes")
    assert found.labels.label_N.tolist() == [1, 0]


def test_two_inputs_make_a_pair(words, write):
    (words / "input1").mkdir()
    (words / "input1" / "dict.txt").write_text("the 9\ncat 8\n")
    write(words / "input1" / "train", [[4, 2], [5, 2]])

    sequences = folders.read_texts(words, "train", WORDS, max_length=9)

    pairs = WORDS.encode(["the cats", "the"], ["the", "cat"])
    assert ids(sequences) == [pair.ids for pair in pairs]
    assert sequences.types_T.tolist() == [type_ for pair in pairs for type_ in pair.type_ids]


def test_numbers_stand_beside_the_texts(words, write):
    (words / "label" / "train.label").write_text("0.5\n1\n")

    found = folders.read_numbers(words, "train", WORDS, max_length=9)

    assert len(found.sequences) == 2
    assert found.number_N.tolist() == [0.5, 1.0]
    (words / "label" / "train.label").write_text("0.5\n")
    with pytest.raises(UserError, match="train has 2 examples and 1 labels"):
        folders.read_numbers(words, "train", WORDS, max_length=9)


def test_a_folder_tells_what_it_is_and_what_it_holds(words, write, tmp_path_factory):
    for split in ("test", "valid1", "valid"):
        write(words / "input0" / split, [[4, 2]])

    assert folders.is_fairseq(words)
    assert not folders.is_fairseq(tmp_path_factory.mktemp("tables"))
    assert folders.splits(words) == ("train", "valid", "valid1", "test")
    assert folders.has_classes(words)
    (words / "label" / "dict.txt").unlink()
    assert not folders.has_classes(words)


def test_numbers_in_a_dictionary_are_those_of_the_encoder_beside_it(words, write):
    text = "the cat"
    tokens = [BPE.token(id_) for id_ in BPE.encode_lines([text])[0]]
    lines = [f"{NUMBERS[token]} 1\n" for token in dict.fromkeys(tokens)]
    (words / "input0" / "dict.txt").write_text("".join(lines[::-1]))
    order = [line.split()[0] for line in lines[::-1]]
    item = [4 + order.index(str(NUMBERS[token])) for token in tokens]
    write(words / "input0" / "train", [[*item, 2], [2]])
    assert "its symbols are numbers of GPT-2's tokens, and the tokenizer is another" in said(
        words, BPE
    )

    (words / "encoder.json").write_text(json.dumps(NUMBERS))

    sequences = folders.read_texts(words, "train", BPE, max_length=9)
    assert ids(sequences) == [BPE.encode([text])[0].ids, [BPE.bos_id, BPE.eos_id]]


def test_specials_and_mask_are_those_of_the_tokenizer(words, write):
    write(words / "input0" / "train", [[3, 8, 1, 2], [0, 2]])

    sequences = folders.read_texts(words, "train", WORDS, max_length=9)

    unknown, mask, pad = WORDS.unk_id, WORDS.mask_id, WORDS.pad_id
    assert ids(sequences) == [
        [WORDS.bos_id, unknown, mask, pad, WORDS.eos_id],
        [WORDS.bos_id, WORDS.bos_id, WORDS.eos_id],
    ]


def test_what_the_tokenizer_or_the_dictionary_does_not_know_is_named(words, write):
    write(words / "input0" / "train", [[THE, 2], [THE, 7, 2]])
    assert "train.bin: item 2 holds 'madeupword0000', which the tokenizer does not" in said(words)
    assert "(so 1 of 5 tokens)" in said(words)

    write(words / "input0" / "train", [[2], [2], [CAT, 9, 2]])
    assert "item 3 holds the id 9, where" in said(words)
    assert "dict.txt has 9" in said(words)

    write(words / "input0" / "train", [[2], [-1, 2]], "i4")
    assert "item 2 holds the id -1" in said(words)


def test_a_folder_that_does_not_fit_together_is_refused(words, write):
    write(words / "input0" / "train", [[4, 2]])
    assert "train has 1 examples and 2 labels" in said(words)

    write(words / "input0" / "train", [[4, 2], [4]])
    assert "train.bin: example 2 does not end with </s>" in said(words)
    write(words / "input0" / "train", [[4, 2], []])
    assert "train.bin: example 2 does not end with </s>" in said(words)
    write(words / "input0" / "train", [])
    assert "train.idx: has no examples" in said(words)

    write(words / "input0" / "train", [[4, 2], [4, 2]])
    write(words / "input1" / "train", [[4, 2]])
    (words / "input1" / "dict.txt").write_text("cat 1\n")
    assert "train has 2 examples in input0 and 1 in input1" in said(words)

    (words / "input2").mkdir()
    assert "has input2/, so it is of sentence_ranking" in said(words)


def test_a_split_that_is_not_there_is_refused_with_those_that_are(words):
    assert "input0: has no valid.idx; there is train" in said(words, split="valid")


@pytest.mark.parametrize("content", ["{", "[]", '{"a": "b"}'])
def test_a_bad_encoder_is_refused(words, content):
    (words / "encoder.json").write_text(content)

    assert "encoder.json: not " in said(words)
