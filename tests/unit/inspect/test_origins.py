import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.inspect.origins import SPECIAL, Origins
from unmask.tokens import format as shards
from unmask.tokens.plan_names import PLAN_NAMES
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import Shard

IDS = SpecialIds(bos=0, eos=2, pad=1)


def shard_of(documents):
    """Documents are lists of sentences, sentences are numbers of tokens."""
    lengths = np.array([n for document in documents for n in (*document, 0)])
    ids_T = np.arange(10, 10 + lengths.sum(), dtype=np.uint16)
    return Shard(ids_T, np.frombuffer(shards.pack_lengths(lengths), np.uint8))


def places(corpus):
    """Document, sentence and whether inside of it, for each token of the split in its order."""
    documents = [document for shard in corpus for document in shard]
    return [
        (number, sentence, place > 0)
        for number, document in enumerate(documents)
        for sentence, tokens in enumerate(document)
        for place in range(tokens)
    ]


corpora = st.lists(
    st.lists(st.lists(st.integers(1, 300), min_size=1, max_size=4), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
)


@pytest.mark.parametrize("name", PLAN_NAMES)
@given(corpus=corpora, length=st.integers(8, 40))
@settings(max_examples=25)
def test_every_token_of_every_block_is_found_where_it_is_from(name, corpus, length):
    parts = [shard_of(shard) for shard in corpus]
    plan, origins = choose(name, parts, length, IDS), Origins(parts, name, length, IDS)
    if not plan.count:
        return
    block_B = np.arange(plan.count)

    ids_BL, number_BL = plan.read(block_B).ids_BL, origins.read(block_B).ids_BL

    text_BL = number_BL != SPECIAL
    ids_T = np.concatenate([part.ids_T for part in parts])
    assert (ids_BL[text_BL] == ids_T[number_BL[text_BL]]).all()
    assert (ids_BL[~text_BL] <= 2).all()
    known = places(corpus)
    number_N = np.unique(number_BL[text_BL])
    found = origins.of(number_N)
    rows = zip(found.document_N, found.sentence_N, found.inside_N, strict=True)
    assert list(rows) == [known[number] for number in number_N]
