import random

import numpy as np
import pytest

from unmask.corpus.duplicates import hashes

WHOLE = 1 << 64


def digest(high, low=0):
    return high.to_bytes(8, "big") + low.to_bytes(8, "big")


@pytest.fixture
def written(tmp_path):
    """Three files of hashes, few of them distinct; the files and what stands at each position."""
    dice = random.Random(0)
    values = [digest(dice.randrange(WHOLE), dice.randrange(3)) for _ in range(40)]
    values += [digest(0), digest(0, 1), digest(WHOLE - 1, WHOLE - 1)]
    found, at = [], {}
    for number in range(3):
        chosen = dice.choices(values, k=100)
        path, first = tmp_path / f"{number}.bin", number << 40
        hashes.write(path, b"".join(chosen), np.arange(100))
        found.append((path, first))
        at |= {first + row: value for row, value in enumerate(chosen)}
    return found, at


def expected(at):
    """The positions of each hash that occurs more than once."""
    groups = {}
    for position, value in sorted(at.items()):
        groups.setdefault(value, []).append(position)
    return {tuple(group) for group in groups.values() if len(group) > 1}


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_buckets_together_hold_every_repeated_hash_once(written, of):
    found, at = written

    groups = [
        tuple(group.tolist())
        for number in range(of)
        for group in hashes.repeated(hashes.bucket(found, number, of))
    ]

    assert len(groups) == len(set(groups))
    assert set(groups) == expected(at)


@pytest.mark.parametrize("of", [1, 5])
def test_later_ones_are_given_with_the_first_of_their_kind(written, of):
    found, at = written
    pairs = {}
    for number in range(of):
        later, first = hashes.later_ones(hashes.bucket(found, number, of))
        pairs |= dict(zip(later.tolist(), first.tolist(), strict=True))

    assert pairs == {later: group[0] for group in expected(at) for later in group[1:]}


def test_a_file_is_sorted_and_its_layout_is_fixed(tmp_path):
    hashes.write(tmp_path / "a", digest(2, 5) + digest(1, 7) + digest(1, 6), np.array([8, 9, 10]))

    assert (tmp_path / "a").read_bytes() == b"".join(
        np.array(column, kind).tobytes()
        for column, kind in (([1, 1, 2], "<u8"), ([6, 7, 5], "<u8"), ([10, 9, 8], "<u4"))
    )


def test_no_file_is_written_for_no_hashes(tmp_path):
    hashes.write(tmp_path / "a", b"", np.arange(0))

    assert not (tmp_path / "a").exists()


def test_the_number_of_buckets_follows_from_the_number_of_hashes_alone():
    full = hashes.BUCKET_HASHES

    assert [hashes.buckets(count) for count in (0, 1, full, full + 1, 10 * full)] == [
        1,
        1,
        1,
        2,
        10,
    ]
