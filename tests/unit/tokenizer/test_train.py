import json

import pytest
from tokenizers.pre_tokenizers import ByteLevel

from unmask.core.errors import UserError
from unmask.tokenizer.train import train

LINES = ["the cat sat on the mat", "the other cat sat there", "a hat, a bat: that is that"] * 3


def test_ids_stand_in_robertas_order():
    tokenizer = train(LINES, 280)
    tokens = [tokenizer.token(id_) for id_ in range(280)]

    assert tokens[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert set(tokens[4:260]) == set(ByteLevel.alphabet())
    assert all(len(token) > 1 for token in tokens[260:279])
    assert tokens[279] == "<mask>"
    assert tokenizer.vocabulary == 280


def test_same_lines_give_the_same_bytes():
    assert train(LINES, 280).json == train(iter(LINES), 280).json


def test_frequent_words_become_one_token():
    tokenizer = train(LINES, 280)

    assert [tokenizer.token(id_) for id_ in tokenizer.encode_lines(["sat the"])[0]][-1] == "Ġthe"


def test_smallest_vocabulary_is_bytes_without_merges():
    tokenizer = train(LINES, 261)

    assert json.loads(tokenizer.json)["model"]["merges"] == []
    assert len(tokenizer.encode_lines(["naïve"])[0]) == 6


def test_pairs_that_occur_once_are_not_merged():
    with pytest.raises(UserError, match="enough for 261 ids"):
        train(["abcdefg"], 270)


def test_too_little_text_names_the_number_that_it_is_enough_for():
    with pytest.raises(UserError, match=r"enough for (\d+) ids, not for 1,000") as error:
        train(LINES, 1000)

    reached = int(error.value.hint.split()[1].rstrip(","))
    assert train(LINES, reached).vocabulary == reached


def test_special_tokens_written_in_the_text_are_only_characters():
    tokenizer = train(["<mask> </s>"] * 9, 264)

    assert tokenizer.special_ids == (0, 1, 2, 3, 263)
