"""Chinese words: what jieba finds, told by the ids alone."""

import builtins
import pickle

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.pretrain.masking import chinese
from unmask.pretrain.masking.chinese import ChineseWords
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.build import byte_level_bpe, word_piece

SENTENCE = "使用语言模型来预测下一个词"


@pytest.fixture(scope="module")
def jieba():
    pytest.importorskip("jieba", reason="needs the extra unmask[zh]")
    return chinese._segmenter()


@pytest.fixture(scope="module")
def by_pieces():
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*specials, *sorted(set(SENTENCE)), "##型", "hello", "##s", "。", "1"]
    return word_piece({piece: id_ for id_, piece in enumerate(pieces)}, lowercase=True)


@pytest.fixture(scope="module")
def by_bytes():
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = sorted(ByteLevel.alphabet())
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    tokens = [*specials, *alphabet, "<mask>"]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])


def words(tokenizer, text):
    """The tokens of a text, with a bar in front of each that begins a word."""
    ids = tokenizer.encode([text])[0].ids
    begins = ChineseWords(tokenizer)(np.array([ids]))[0]
    return ids, begins.tolist()


def test_characters_are_grouped_into_jiebas_words(jieba, by_pieces):
    expected = list(jieba.cut(SENTENCE))

    ids, begins = words(by_pieces, f"hellos{SENTENCE}。1")

    pieces = [by_pieces.token(id_).removeprefix("##") for id_ in ids[1:-1]]
    found = []
    for piece, is_first in zip(pieces, begins[1:-1], strict=True):
        found[len(found) :] = [piece] if is_first else [found.pop() + piece]
    assert found == ["hellos", *expected, "。", "1"]
    assert "模型" in expected


def test_a_special_token_parts_words(jieba, by_pieces):
    assert words(by_pieces, "模型")[1] == [True, True, False, True]
    assert words(by_pieces, "模[SEP]型")[1] == [True] * 5


def test_bytes_of_one_character_and_of_one_word_stay_together(jieba, by_bytes):
    _, begins = words(by_bytes, f"a {SENTENCE}b c")

    first = [place for place, is_first in enumerate(begins[1:-1]) if is_first]
    expected, at = [], 2  # "a" alone follows <s>; units.grouped begins a word there
    for word in jieba.cut(SENTENCE):
        expected.append(at)
        at += len(word.encode())
    # the space in front belongs to no Chinese word, "b" begins one behind it, then " c"
    assert first == [1, *expected, at, at + 1]


def test_bytes_that_are_no_text_do_no_harm(jieba, by_bytes):
    ids = np.array([by_bytes.encode([SENTENCE])[0].ids[2:12], [40, 250, 251, 252, 9] * 2])

    begins_BL = ChineseWords(by_bytes)(ids)

    assert begins_BL.shape == ids.shape
    assert begins_BL[0].any()


def masker(tokenizer):
    return Masker.of(MaskingConfig(unit="chinese-word", probability=0.3), 0, tokenizer, [])


def test_whole_words_are_masked_and_the_same_in_every_version(jieba, by_pieces):
    ids_BL = np.array([by_pieces.encode([f"hellos{SENTENCE}。1"])[0].ids] * 3)
    epoch_B, block_B = np.array([0, 0, 1]), np.array([0, 1, 0])
    copied = pickle.loads(pickle.dumps(masker(by_pieces)))

    masked = masker(by_pieces)(ids_BL, epoch_B, block_B)
    by_torch = copied(*map(torch.from_numpy, (ids_BL, epoch_B, block_B)))

    assert (by_torch.ids_BL.numpy() == masked.ids_BL).all()
    tokens = [by_pieces.token(id_) for id_ in masked.targets_M.tolist()]
    rows = (masked.positions_M // ids_BL.shape[1]).tolist()
    found = ["".join(tokens[n] for n, row in enumerate(rows) if row == block) for block in range(3)]
    assert found == ["模型下。1", "来下一个词", "hello##s来词。"]


def test_a_missing_jieba_is_an_error_that_names_the_extra(by_pieces, monkeypatch):
    def refuse(name, *rest):
        if name == "jieba":
            raise ImportError(name)
        return imported(name, *rest)

    imported = builtins.__import__
    chinese._segmenter.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(UserError, match="jieba is missing") as error:
        masker(by_pieces)

    assert "--masking.unit chinese-word" in error.value.what
    assert "unmask[zh]" in error.value.hint
