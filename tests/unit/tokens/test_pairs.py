"""The formats of pairs: what stands in a block, and where it comes from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.tokens.plans.blocks import SpecialIds

from .conftest import corpora, plan_of, read_all

BOS, PAD, EOS = 0, 1, 2
NAMES = ["segment-pair", "sentence-pair"]


def numbered(documents):
    """Give every token of the corpus an id of its own, so that its origin can be seen."""
    ids = iter(range(100, 65_000))
    return [[[next(ids) for _ in sentence] for sentence in document] for document in documents]


def segments(block):
    """The two texts of `<s> A </s> </s> B </s>`."""
    assert block[0] == BOS
    assert block[-1] == EOS
    middle = block.index(EOS)
    assert block[middle + 1] == EOS
    return block[1:middle], block[middle + 2 : -1]


def document_of(documents):
    return {
        token: number
        for number, document in enumerate(documents)
        for sentence in document
        for token in sentence
    }


def follows(plan):
    return plan.read(np.arange(plan.count)).follows_B.tolist()


@pytest.mark.parametrize("name", NAMES)
@given(
    documents=corpora(12).filter(lambda documents: len(documents) > 1), length=st.integers(8, 30)
)
@settings(max_examples=150)
def test_every_pair_is_what_its_label_says(name, documents, length):
    documents = numbered(documents)
    where = document_of(documents)
    plan = plan_of(name, documents, length)

    for block, label in zip(read_all(plan), follows(plan), strict=True):
        a, b = segments(block)
        assert len(block) <= length
        assert a == list(range(a[0], a[-1] + 1))
        assert b == list(range(b[0], b[-1] + 1))
        assert len({where[token] for token in a}) == len({where[token] for token in b}) == 1
        assert (where[a[0]] == where[b[0]]) == label
        assert not label or b[0] == a[-1] + 1


@pytest.mark.parametrize("name", NAMES)
@given(documents=corpora(12), length=st.integers(8, 30))
@settings(max_examples=100)
def test_every_token_is_read_once_beside_the_segments_from_elsewhere(name, documents, length):
    documents = numbered(documents)
    plan = plan_of(name, documents, length)

    own = []
    for block, label in zip(read_all(plan), follows(plan), strict=True):
        a, b = segments(block)
        own += a + (b if label else [])

    assert own == [token for document in documents for sentence in document for token in sentence]
    assert plan.report()["tokens_dropped"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_half_of_the_pairs_follow(name):
    documents = [[[5] * 6 for _ in range(400)] for _ in range(20)]

    plan = plan_of(name, documents, 40)

    assert np.mean(follows(plan)) == pytest.approx(0.5, abs=0.05)
    assert plan.report()["crossing_share"] == pytest.approx(1 - np.mean(follows(plan)))


def test_segments_fill_the_room_and_sentences_do_not():
    documents = [[[5] * 6 for _ in range(400)] for _ in range(20)]

    segments_, sentences = (plan_of(name, documents, 64).lengths_B.mean() for name in NAMES)

    assert segments_ > 55
    assert sentences == 16


def test_the_parting_of_segments_is_anywhere():
    documents = [[[5] * 2 for _ in range(4000)] for _ in range(2)]
    plan = plan_of("segment-pair", documents, 44)

    lengths = {len(segments(block)[0]) // 2 for block in read_all(plan)}

    assert set(range(1, 19)) <= lengths


def test_bert_has_one_separator_between_and_types_that_change_behind_it():
    special = SpecialIds(bos=BOS, eos=EOS, pad=PAD, between=1)
    plan = plan_of("sentence-pair", [[[5, 6], [7, 8, 9]]], 12, special)

    blocks = plan.read(np.arange(1))

    assert blocks.ids_BL[0].tolist() == [BOS, 5, 6, EOS, 7, 8, 9, EOS, PAD, PAD, PAD, PAD]
    assert blocks.types_BL[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]


def test_pairs_are_the_same_in_every_version():
    """A run that is resumed after an upgrade has to go on with the same blocks."""
    documents = numbered([[[5] * 3, [5] * 4], [[5] * 2, [5]], [[5] * 5]])

    plan = plan_of("sentence-pair", documents, 16)

    assert [segments(block) for block in read_all(plan)] == GOLDEN


GOLDEN = [
    ([100, 101, 102], [103, 104, 105, 106]),
    ([107, 108], [109]),
    ([110, 111, 112, 113, 114], [109]),
]
