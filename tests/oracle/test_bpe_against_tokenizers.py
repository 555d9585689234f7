"""Our learner against `tokenizers`' own, wherever its 32-bit counts are enough."""

import gzip
import itertools
import json
import random
from collections import Counter

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from unmask.tokenizer import pretokens
from unmask.tokenizer.counts import words_of
from unmask.tokenizer.learn import learn
from unmask.tokenizer.words import Words

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)


def theirs(lines, size, least=2, specials=SPECIALS, cutter=BYTE_LEVEL):
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = cutter
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=least,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(lines, trainer)
    model = json.loads(backend.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), list(map(tuple, model["merges"]))


def ours(lines, size, least=2):
    learnt = learn(words_of(pretokens.count(lines)), SPECIALS, size, least=least)
    return learnt.tokens, learnt.merges


@pytest.fixture(scope="module")
def real_lines(shared_data):
    with gzip.open(shared_data / "wiki_en" / "valid.txt.gz", "rt", encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


@pytest.mark.parametrize("size", [260, 261, 1000, 4000])
def test_real_text_gives_the_same_tokens_and_merges(real_lines, size):
    assert ours(real_lines, size) == theirs(real_lines, size)


def test_real_text_learnt_to_the_end_gives_the_same(real_lines):
    lines = real_lines[:150]
    tokens, merges = ours(lines, 100_000)

    assert len(merges) > 1000
    assert (tokens, merges) == theirs(lines, 100_000)


@pytest.mark.parametrize("seed", range(60))
def test_text_full_of_ties_and_overlaps_gives_the_same(seed):
    draw = random.Random(seed)
    letters = draw.choice(["a", "ab", "aab", "abc ", "aé ", "ab猫 1"])
    lines = [
        "".join(draw.choices(letters, k=draw.randint(1, 40))) for _ in range(draw.randint(1, 60))
    ]
    size, least = draw.choice([262, 280, 350, 2000]), draw.choice([1, 2, 3, 9])

    assert ours(lines * 2, size, least) == theirs(lines * 2, size, least)


def test_all_words_of_three_letters_each_alike_give_the_same():
    lines = [
        " ".join(map("".join, itertools.product("abc", repeat=length))) for length in (1, 2, 3)
    ]

    assert ours(lines, 2000, 1) == theirs(lines, 2000, 1)


def test_a_token_that_is_there_already_keeps_its_id():
    specials = ["ab", "abab", "ba"]
    words = ["abab", "ababab", "bab", "aab", "abba", "baba"] * 3

    learnt = learn(Words.of(Counter(word.encode() for word in words)), specials, 300, least=2)

    expected = theirs(words, 300, specials=specials, cutter=pre_tokenizers.WhitespaceSplit())
    assert (learnt.tokens, learnt.merges) == expected
    assert learnt.merges[0] in {("a", "b"), ("b", "a")}


@pytest.mark.parametrize("seed", range(40))
def test_tokens_that_are_reached_twice_give_the_same(seed):
    draw = random.Random(seed)
    strings = ["".join(draw.choices("ab", k=draw.randint(2, 5))) for _ in range(6)]
    specials = sorted(set(strings))
    words = ["".join(draw.choices("aab", k=draw.randint(1, 9))) for _ in range(draw.randint(2, 80))]

    learnt = learn(Words.of(Counter(word.encode() for word in words)), specials, 400, least=1)

    expected = theirs(words, 400, 1, specials, pre_tokenizers.WhitespaceSplit())
    assert (learnt.tokens, learnt.merges) == expected


@pytest.mark.parametrize("factor", [2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**40])
def test_counts_beyond_32_bits_give_the_merges_of_the_same_text_in_small(real_lines, factor):
    lines = real_lines[:60]
    words = words_of(pretokens.count(lines))

    learnt = learn(
        Words(words.letters_S, words.lengths_W, words.counts_W * factor), SPECIALS, 700, least=2
    )

    assert (learnt.tokens, learnt.merges) == theirs(lines, 700, least=1)
