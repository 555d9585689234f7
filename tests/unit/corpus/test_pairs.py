import numpy as np

from unmask.corpus.duplicates import pairs
from unmask.corpus.duplicates.pairs import Pairs
from unmask.corpus.work import Part


def plain(found):
    return [column.tolist() for column in found]


def test_pairs_are_written_sorted_and_once(tmp_path):
    pairs.write(tmp_path / "a", Pairs(np.array([5, 3, 5, 5]), np.array([1, 2, 0, 1])))

    assert plain(pairs.read(tmp_path / "a")) == [[3, 5, 5], [2, 0, 1]]


def test_a_file_of_no_pairs_is_read_as_none(tmp_path):
    pairs.write(tmp_path / "a", pairs.NONE)

    assert plain(pairs.read(tmp_path / "a")) == [[], []]


def test_a_part_finds_the_pairs_of_its_documents_in_every_file(tmp_path):
    pairs.write(tmp_path / "a", Pairs(np.array([9, 10, 14, 15]), np.array([1, 2, 3, 4])))
    pairs.write(tmp_path / "b", Pairs(np.array([12]), np.array([0])))
    pairs.write(tmp_path / "c", pairs.NONE)
    part = Part(slice=0, number=1, first=10, rows=5)

    found = pairs.of_part([tmp_path / name for name in "abc"], part)

    assert sorted(zip(*plain(found), strict=True)) == [(10, 2), (12, 0), (14, 3)]
