"""Words against those who defined them: tokenizers' word ids and transformers' collator."""

import gzip

import numpy as np
import pytest
from transformers import DataCollatorForLanguageModeling

from unmask.pretrain.masking.units import grouped
from unmask.pretrain.masking.words import Words
from unmask.tokenizer import imports

TEXTS = [
    "Whole words, not pieces: unbelievably tokenization-unfriendly anti-disestablishmentarianism!",
    "don't   we'll \tI'VE 3.14e-10 $5 café naïve ２０２４ e-mail@example.org",
    "Übergrößenträger, Донаудампфшифффарт and Hello 世界",
]


@pytest.fixture(scope="module")
def roberta(shared_data):
    return imports.read(imports.find(shared_data / "bpe" / "roberta"))


def heads(tokenizer, ids_BL):
    spared_BL = np.isin(ids_BL, tokenizer.special_ids)
    return grouped(~spared_BL, Words.of(tokenizer)(ids_BL)).head_BL


def lines_of(shared_data, count=40):
    with gzip.open(shared_data / "wiki_en" / "valid.txt.gz", "rt", encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return TEXTS + [line[:400] for line in lines if line][:count]


@pytest.mark.parametrize("vocabulary", ["bert-base-cased", "bert-base-uncased"])
def test_words_of_word_piece_are_those_of_tokenizers(shared_data, vocabulary):
    source = imports.find(shared_data / "wordpiece" / vocabulary)
    tokenizer = imports.read(source, lowercase="uncased" in vocabulary)

    for text in lines_of(shared_data):
        encoding = tokenizer.encode([text])[0]
        found = heads(tokenizer, np.array([encoding.ids]))[0].tolist()
        before = [None, *encoding.word_ids[:-1]]
        known = tokenizer.token  # an unknown word is a special token, and no word
        expected = [
            word is not None and word != last and known(id_) != "[UNK]"
            for id_, word, last in zip(encoding.ids, encoding.word_ids, before, strict=True)
        ]
        assert found == expected


def test_words_of_byte_level_bpe_are_those_of_the_collator_of_transformers(shared_data, roberta):
    """It parts words at gaps between the offsets of tokens, which a leading space is."""
    compared = 0

    for text in lines_of(shared_data):
        encoding = roberta.encode([" ".join(text.split())])[0]
        if len(set(encoding.offsets)) < len(encoding.offsets) - 1:
            continue  # one character in several tokens: their offsets say nothing
        word_ids, _ = DataCollatorForLanguageModeling._calc_word_ids_and_prob_mask(
            np.array([encoding.offsets]), np.array([encoding.special_tokens_mask])
        )
        expected = np.diff(word_ids[0], prepend=-1) > 0
        expected &= word_ids[0] > 0

        assert heads(roberta, np.array([encoding.ids]))[0].tolist() == expected.tolist()
        compared += 1

    assert compared > 20


def test_every_line_of_a_block_begins_a_word_though_no_space_stands_there(roberta):
    lines = ["Unbelievable stories", "Tokenization is undervalued"]
    ids = [roberta.bos_id]
    for line in roberta.encode_lines(lines):
        ids += [*line, roberta.eos_id]

    begins = heads(roberta, np.array([ids]))[0]

    words, special = [], set(roberta.special_ids)
    for id_, is_first in zip(ids, begins.tolist(), strict=True):
        if id_ not in special:
            words[len(words) :] = [[id_]] if is_first else [[*words.pop(), id_]]
    assert [roberta.decode(word).strip() for word in words] == " ".join(lines).split(" ")
