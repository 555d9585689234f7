import numpy as np
from hypothesis import strategies as st

from unmask.tokens import format as shards
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import Shard

SPECIAL = SpecialIds(bos=0, eos=2, pad=1)


def shard_of(documents):
    """Documents are lists of sentences, sentences are lists of ids."""
    lengths = [n for document in documents for n in (*map(len, document), 0)]
    tokens = [token for document in documents for sentence in document for token in sentence]
    codes = np.frombuffer(shards.pack_lengths(np.array(lengths)), dtype=np.uint8)
    return Shard(np.array(tokens, dtype=np.uint16), codes)


def plan_of(name, documents, length, special=SPECIAL):
    """Plan one shard."""
    return choose(name, [shard_of(documents)], length, special)


def read_all(plan):
    """Every block without its padding."""
    if not plan.count:
        return []
    blocks = plan.read(np.arange(plan.count))
    return [row[:n].tolist() for row, n in zip(blocks.ids_BL, blocks.lengths_B, strict=True)]


def corpora(largest=25):
    """Documents of sentences of tokens that are no special ones."""
    sentence = st.lists(st.integers(4, 99), min_size=1, max_size=largest)
    return st.lists(st.lists(sentence, min_size=1, max_size=6), min_size=1, max_size=8)
