"""Near duplicates against the exact Jaccard similarity of all pairs."""

import itertools
import random
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.corpus.duplicates import near, pairs, signatures
from unmask.corpus.duplicates.near import BandTask, group
from unmask.corpus.duplicates.pairs import Pairs
from unmask.corpus.duplicates.signatures import SignatureTask, gram_hashes, signature
from unmask.corpus.store import Document, PartWriter
from unmask.corpus.work import TEXTS, Part, Work

THRESHOLD = 0.8
COPIES = 6


def similarity(one, other):
    """The exact Jaccard similarity of the sets of 5-grams, in another way than the code's."""
    sets = []
    for text in (one, other):
        words = text.lower().split()
        sets.append({tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4))})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def edited(words, edits, dice):
    words = list(words)
    for _ in range(edits):
        words[dice.randrange(len(words))] = f"new{dice.random()}"
    return words


def planted(seed):
    """60 families of a text and copies with more and more words changed."""
    dice = random.Random(seed)
    texts = []
    for _ in range(60):
        words = [f"w{dice.randrange(2000)}" for _ in range(dice.randint(80, 300))]
        texts += [" ".join(words)]
        texts += [" ".join(edited(words, dice.randint(0, 8), dice)) for _ in range(COPIES)]
    return texts


def found_pairs(texts, folder, threshold=THRESHOLD, of=3):
    """The pairs that the tasks find when the texts lie in parts of 100."""
    work = Work(folder)
    work.make()
    with PartWriter(folder / TEXTS, "000000") as writer:
        for row, text in enumerate(texts):
            if row and row % 100 == 0:
                writer.flush()
            writer.add(Document("", text, ""))
    starts = range(0, len(texts), 100)
    parts = tuple(
        Part(0, number, start, min(100, len(texts) - start)) for number, start in enumerate(starts)
    )
    banding = signatures.banding(threshold)
    signatures.sign(SignatureTask(parts, banding, (), work))
    found = set()
    for number in range(of):
        near.compare(BandTask(parts, number, of, threshold, work))
        later, earlier = pairs.read(work.pairs(number))
        found |= set(zip(earlier.tolist(), later.tolist(), strict=True))
    return found


def test_pairs_beyond_the_threshold_are_found_and_few_others(tmp_path):
    """Measured: recall 1.00 from 0.85 on and 0.92 from 0.8 on; of what is found 0.99 is above 0.75.

    Many of the pairs are close to the threshold on purpose, where an estimate must err.
    """
    texts = planted(0)
    exact = {
        (one, other): similarity(texts[one], texts[other])
        for first in range(0, len(texts), COPIES + 1)
        for one, other in itertools.combinations(range(first, first + COPIES + 1), 2)
    }

    found = found_pairs(texts, tmp_path)

    assert found <= exact.keys()  # nothing across families
    clear, alike, close = (
        {pair for pair, value in exact.items() if value >= limit} for limit in (0.85, 0.8, 0.75)
    )
    assert 200 < len(clear) < len(alike) < len(close) < len(exact) / 2
    assert len(clear & found) / len(clear) >= 0.98
    assert len(alike & found) / len(alike) >= 0.9
    assert len(close & found) / len(found) >= 0.98


@pytest.mark.parametrize("of", [1, 5])
def test_buckets_do_not_change_what_is_found(tmp_path, of):
    texts = planted(1)[:70]

    assert found_pairs(texts, tmp_path / "a", of=of) == found_pairs(texts, tmp_path / "b", of=2)


def test_a_signature_estimates_the_similarity():
    texts = planted(2)[: COPIES + 1]

    for one, other in itertools.combinations(texts, 2):
        exact = similarity(one, other)
        estimate = np.mean(signature(one) == signature(other))
        assert abs(estimate - exact) <= 4 * (exact * (1 - exact) / signatures.VALUES) ** 0.5


def test_chinese_is_compared_by_its_characters(tmp_path):
    dice = random.Random(0)
    text = "".join(chr(dice.randrange(0x4E00, 0x5E00)) for _ in range(300))
    other = text[:150] + "改" + text[151:]

    assert found_pairs([text, other, text[::-1]], tmp_path) == {(0, 1)}


def test_case_and_white_space_do_not_count_and_short_texts_are_compared_whole():
    assert gram_hashes("One two\nthree").tolist() == gram_hashes("one  TWO three").tolist()
    assert len(gram_hashes("one two three")) == len(gram_hashes("a b c d e")) == 1
    assert gram_hashes("one two") != gram_hashes("two one")
    assert len(gram_hashes("a b c d e f")) == 2


def test_grams_at_any_distance_count_once(monkeypatch):
    """A document of any length is signed in pieces."""
    text = " ".join(f"w{number}" for number in range(1000))
    whole = signature(text)
    monkeypatch.setattr(signatures, "_GRAMS_AT_ONCE", 7)

    assert np.array_equal(signature(text), whole)
    assert np.array_equal(signature(f"{text} {text}"), signature(f"{text} {text} {text}"))


def test_in_a_large_group_all_are_linked_to_the_first_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(near, "COMPARED", 2)
    monkeypatch.setattr(near, "_DOCUMENTS_AT_ONCE", 3)
    words = [f"w{number}" for number in range(200)]
    texts = [" ".join([*words, f"end{number}"]) for number in range(20)]

    found = found_pairs(texts, tmp_path)
    later, first = group(Pairs(*np.array(sorted(found)).T))

    assert later.tolist() == list(range(1, 20))
    assert not first.any()
    assert len(found) < 20 * 19 / 2


def rooted(edges):
    """Union-find, one edge after another."""
    parent = {}

    def root(node):
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for one, other in edges:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {node: root(node) for node in parent if root(node) != node}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_groups_are_what_is_connected_and_the_first_is_kept(edges):
    linked = Pairs(*np.array(edges, np.int64).reshape(-1, 2).T)

    later, first = group(linked)

    assert dict(zip(later.tolist(), first.tolist(), strict=True)) == rooted(edges)
    assert later.tolist() == sorted(later.tolist())


def test_a_long_chain_is_one_group():
    chain = np.random.default_rng(0).permutation(10_000)

    later, first = group(Pairs(chain[:-1], chain[1:]))

    assert later.tolist() == list(range(1, 10_000))
    assert not first.any()


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasketch", None)

    with pytest.raises(UserError, match="--near-duplicates needs datasketch") as error:
        signatures.banding(0.8)

    assert error.value.hint == "pip install 'unmask[dedup]'"


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 0.95])
def test_the_bands_hardly_miss_what_is_beyond_the_threshold(threshold):
    cut = signatures.banding(threshold)

    missed = (1 - (threshold + 0.05) ** cut.values) ** cut.bands
    assert cut.bands * cut.values <= signatures.VALUES
    assert missed < 0.01
