"""The plan against a plain reading of its rules, sentence by sentence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.tokens.plans.full_sentences import FullSentences, SpecialIds
from unmask.tokens.read import Shard

BOS, PAD, EOS = 0, 1, 2
SPECIAL = SpecialIds(bos=BOS, eos=EOS, pad=PAD)


def shard_of(documents):
    """Documents are lists of sentences, sentences are lists of ids."""
    sentences = [sentence for document in documents for sentence in document]
    return Shard(
        np.array([token for sentence in sentences for token in sentence], dtype=np.uint16),
        np.cumsum([len(sentence) for sentence in sentences]),
        np.cumsum([len(document) for document in documents]),
    )


def by_the_rules(documents, length):
    """Pack one sentence after the other, as the format's description says."""
    blocks, block = [], [BOS]
    for document in documents:
        for number, sentence in enumerate(document):
            pieces = [sentence[i : i + length - 2] for i in range(0, len(sentence), length - 2)]
            for part, piece in enumerate(pieces):
                text = piece + ([EOS] if part == len(pieces) - 1 else [])
                opens = number == 0 and part == 0 and len(block) > 1
                if len(block) + opens + len(text) > length:
                    blocks.append(block)
                    block, opens = [BOS], False
                block += ([EOS] if opens else []) + text
    return [*blocks, block] if len(block) > 1 else blocks


def read_all(plan):
    blocks = plan.read(np.arange(plan.count))
    return [row[:n].tolist() for row, n in zip(blocks.ids_BL, blocks.lengths_B, strict=True)]


corpora = st.lists(
    st.lists(st.lists(st.integers(4, 99), min_size=1, max_size=25), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200)
@given(corpora, st.integers(4, 20))
def test_blocks_follow_the_rules_of_the_format(documents, length):
    plan = FullSentences([shard_of(documents)], length, SPECIAL)

    assert read_all(plan) == by_the_rules(documents, length)


@given(corpora, st.integers(4, 20))
def test_no_token_is_lost_or_doubled(documents, length):
    plan = FullSentences([shard_of(documents)], length, SPECIAL)

    text = [token for block in read_all(plan) for token in block if token > EOS]

    assert text == [token for document in documents for sentence in document for token in sentence]


def test_a_document_boundary_inside_a_block_shows_two_separators():
    plan = FullSentences([shard_of([[[5, 6]], [[7]]])], 16, SPECIAL)

    assert read_all(plan) == [[BOS, 5, 6, EOS, EOS, 7, EOS]]


def test_blocks_are_padded_on_the_right_and_never_over_length():
    plan = FullSentences([shard_of([[[5, 6], [7, 8, 9]]])], 6, SPECIAL)

    blocks = plan.read(np.arange(plan.count))

    assert blocks.ids_BL.tolist() == [[BOS, 5, 6, EOS, PAD, PAD], [BOS, 7, 8, 9, EOS, PAD]]
    assert blocks.lengths_B.tolist() == [4, 5]


def test_any_set_of_blocks_over_shards_can_be_read_in_any_order():
    shards = [shard_of([[[5] * 3] * 4]), shard_of([[[6] * 3] * 4]), shard_of([[[7] * 3] * 4])]
    plan = FullSentences(shards, 6, SPECIAL)
    everything = plan.read(np.arange(plan.count))
    some = np.array([11, 0, 5, 5])

    blocks = plan.read(some)

    assert (blocks.ids_BL == everything.ids_BL[some]).all()
    assert (blocks.lengths_B == everything.lengths_B[some]).all()


def test_the_report_counts_padding_crossings_and_cuts():
    plan = FullSentences([shard_of([[[5] * 10], [[6]], [[7]]])], 6, SPECIAL)

    report = plan.report()

    assert read_all(plan)[-1] == [BOS, 6, EOS, EOS, 7, EOS]
    assert report["blocks"] == 4
    assert report["sentences_cut"] == 1
    assert report["tokens_dropped"] == 0
    assert report["crossing_share"] == pytest.approx(1 / 4)
    assert report["padding_share"] == pytest.approx(1 - (5 + 5 + 4 + 6) / 24)
