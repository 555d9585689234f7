"""Each format against a plain reading of its rules, sentence by sentence."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.tokens.plans.choose import choose

from .conftest import SPECIAL, corpora, plan_of, read_all, shard_of

BOS, PAD, EOS = 0, 1, 2
FORMATS = ["full-sentences", "doc-sentences", "none", "line", "hf"]
LOSSLESS = ["full-sentences", "doc-sentences", "none", "line"]


def pieces_of(sentence, length):
    """Cut a sentence to what fits between <s> and </s>; </s> stands after the last piece."""
    cut = [sentence[i : i + length - 2] for i in range(0, len(sentence), length - 2)]
    return [*cut[:-1], cut[-1] + [EOS]]


def full_sentences(documents, length):
    blocks, block = [], [BOS]
    for document in documents:
        for number, sentence in enumerate(document):
            for part, piece in enumerate(pieces_of(sentence, length)):
                opens = number == 0 and part == 0 and len(block) > 1
                if len(block) + opens + len(piece) > length:
                    blocks.append(block)
                    block, opens = [BOS], False
                block += ([EOS] if opens else []) + piece
    return [*blocks, block] if len(block) > 1 else blocks


def doc_sentences(documents, length):
    return [block for document in documents for block in full_sentences([document], length)]


def unbroken(documents, length):
    """The fairseq stream, a blank line being one more </s>, cut every length - 1 tokens."""
    stream = []
    for number, document in enumerate(documents):
        stream += [EOS] if number else []
        stream += [token for sentence in document for token in (*sentence, EOS)]
    return [[BOS, *stream[i : i + length - 1]] for i in range(0, len(stream), length - 1)]


def line(documents, length):
    sentences = [sentence for document in documents for sentence in document]
    return [[BOS, *piece] for sentence in sentences for piece in pieces_of(sentence, length)]


def group_texts(documents, length):
    """group_texts of run_mlm.py on `<s> sentence </s>`, a thousand sentences at a time."""
    examples = [[BOS, *sentence, EOS] for document in documents for sentence in document]
    blocks = []
    for first in range(0, len(examples), 1000):
        concatenated = list(chain(*examples[first : first + 1000]))
        total_length = (len(concatenated) // length) * length
        blocks += [concatenated[i : i + length] for i in range(0, total_length, length)]
    return blocks


RULES = dict(
    zip(FORMATS, [full_sentences, doc_sentences, unbroken, line, group_texts], strict=True)
)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=150)
@given(documents=corpora(), length=st.integers(8, 24))
def test_blocks_follow_the_rules_of_the_format(name, documents, length):
    plan = plan_of(name, documents, length)

    assert read_all(plan) == RULES[name](documents, length)
    assert plan.lengths_B.tolist() == [len(block) for block in RULES[name](documents, length)]


@pytest.mark.parametrize("name", LOSSLESS)
@given(documents=corpora(700), length=st.integers(8, 600))
@settings(max_examples=30)
def test_no_token_is_lost_or_doubled(name, documents, length):
    plan = plan_of(name, documents, length)

    text = [token for block in read_all(plan) for token in block if token > EOS]

    assert text == [token for document in documents for sentence in document for token in sentence]
    assert plan.report()["tokens_dropped"] == 0


def test_a_thousand_sentences_are_grouped_and_their_rest_is_dropped_and_counted():
    documents = [[[7, 8, 9]] * 700] * 3
    plan = plan_of("hf", documents, 16)

    assert read_all(plan) == group_texts(documents, 16)
    kept = sum(token > EOS for block in read_all(plan) for token in block)
    assert plan.report()["tokens_dropped"] == 2100 * 3 - kept > 0


def test_a_document_boundary_inside_a_block_shows_two_separators():
    assert read_all(plan_of("full-sentences", [[[5, 6]], [[7]]], 16)) == [
        [BOS, 5, 6, EOS, EOS, 7, EOS]
    ]


def test_blocks_are_padded_on_the_right_and_never_over_length():
    plan = plan_of("full-sentences", [[[5, 6, 7], [7, 8, 9, 9]]], 8)

    blocks = plan.read(np.arange(plan.count))

    assert blocks.ids_BL.tolist() == [
        [BOS, 5, 6, 7, EOS, PAD, PAD, PAD],
        [BOS, 7, 8, 9, 9, EOS, PAD, PAD],
    ]
    assert blocks.lengths_B.tolist() == [5, 6]


@pytest.mark.parametrize("name", [*FORMATS, "segment-pair", "sentence-pair"])
@given(st.data())
@settings(max_examples=30)
def test_any_set_of_blocks_over_shards_can_be_read_in_any_order(name, data):
    parts = data.draw(st.lists(corpora(), min_size=1, max_size=3))
    plan = choose(name, [shard_of(documents) for documents in parts], 12, SPECIAL)
    if not plan.count:
        return
    some = np.array(data.draw(st.lists(st.integers(0, plan.count - 1), min_size=1)))

    blocks, everything = plan.read(some), plan.read(np.arange(plan.count))

    assert (blocks.ids_BL == everything.ids_BL[some]).all()
    assert (blocks.lengths_B == everything.lengths_B[some]).all()
    assert (plan.lengths_B[some] == blocks.lengths_B).all()


@pytest.mark.parametrize("name", LOSSLESS)
def test_shards_are_planned_one_by_one(name):
    first, second = [[[5, 6, 7]] * 3], [[[8, 9]] * 9]

    together = choose(name, [shard_of(first), shard_of(second)], 8, SPECIAL)

    assert read_all(together) == RULES[name](first, 8) + RULES[name](second, 8)


def test_the_report_counts_padding_crossings_and_cuts():
    plan = plan_of("full-sentences", [[[5] * 14], [[6]], [[7]]], 8)

    report = plan.report()

    assert report["blocks"] == plan.count
    assert report["sentences_cut"] == 1
    assert report["tokens_dropped"] == 0
    crossing = [len({5, 6, 7} & set(block)) > 1 for block in read_all(plan)]
    assert report["crossing_share"] == pytest.approx(sum(crossing) / plan.count)
    used = sum(len(block) for block in read_all(plan))
    assert report["padding_share"] == pytest.approx(1 - used / (8 * plan.count))


@pytest.mark.parametrize("name", FORMATS)
@given(documents=corpora(), length=st.integers(8, 24))
@settings(max_examples=50)
def test_crossing_blocks_are_those_with_text_of_several_documents(name, documents, length):
    numbered = [
        [[4 + number] * len(sentence) for sentence in document]
        for number, document in enumerate(documents)
    ]
    plan = plan_of(name, numbered, length)

    texts = [{token for token in block if token > EOS} for block in read_all(plan)]

    share = sum(len(text) > 1 for text in texts) / len(texts) if texts else 0.0
    assert plan.report()["crossing_share"] == pytest.approx(share)


def test_a_split_without_text_has_no_blocks():
    for name in FORMATS:
        assert choose(name, [], 16, SPECIAL).count == 0
        assert choose(name, [], 16, SPECIAL).report()["blocks"] == 0
