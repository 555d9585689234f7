import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.inspect import lengths
from unmask.inspect.lengths import Tally

from .test_origins import shard_of


@given(st.lists(st.lists(st.integers(1, 60)), min_size=1))
def test_a_tally_of_parts_is_the_tally_of_the_whole(parts):
    tally = Tally.of([np.array(part, np.int64) for part in parts])

    found = np.repeat(tally.length_V, tally.count_V).tolist()
    assert found == sorted(number for part in parts for number in part)


@given(st.lists(st.integers(1, 512), min_size=1), st.integers(0, 40))
def test_every_block_is_in_one_bin(found, spare):
    length = max(8, *found) + spare

    histogram = lengths.blocks(np.array(found, np.uint32), length)

    assert len(histogram.bins) <= lengths.BINS
    assert (histogram.bins[0].low, histogram.bins[-1].high) == (1, length)
    for bin_, following in zip(histogram.bins, histogram.bins[1:], strict=False):
        assert following.low == bin_.high + 1
    for bin_ in histogram.bins:
        assert bin_.count == sum(bin_.low <= number <= bin_.high for number in found)
    assert histogram.count == len(found)
    assert histogram.mean == pytest.approx(np.mean(found))
    assert histogram.median == sorted(found)[(len(found) - 1) // 2]
    assert histogram.longest == max(found)


def test_sentences_and_documents_are_counted_over_all_shards():
    parts = [shard_of([[5, 6], [1]]), shard_of([[300]])]

    sentences, documents = lengths.sentences(parts), lengths.documents(parts)

    assert [bin_.span for bin_ in sentences.bins][:3] == ["1", "2–3", "4–7"]
    assert [bin_.count for bin_ in sentences.bins] == [1, 0, 2, 0, 0, 0, 0, 0, 1]
    assert sentences.said == "4 sentences, mean 78.0, median 5, longest 300"
    assert documents.said == "3 documents, mean 104.0, median 11, longest 300"
    assert sum(bin_.count for bin_ in documents.bins) == 3
