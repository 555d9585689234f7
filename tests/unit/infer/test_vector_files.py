import json

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.infer.features.files import check, write_pieces, write_texts

TEXTS = ["the cat", "我爱\n北京", ""]
VECTORS_NKD = np.arange(3 * 2 * 4, dtype=np.float32).reshape(3, 2, 4) / 7
PIECES = [["the", "cat"], ["我爱", "北", "京"], []]
RAGGED = [np.random.default_rng(0).random((2, n, 4), np.float32) for n in (2, 3, 0)]


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def loaded(path):
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_vectors_of_texts_come_back_as_they_were(tmp_path):
    for suffix in (".npy", ".npz", ".jsonl"):
        write_texts(tmp_path / f"f{suffix}", TEXTS, VECTORS_NKD)

    assert np.array_equal(np.load(tmp_path / "f.npy", allow_pickle=False), VECTORS_NKD)
    arrays = loaded(tmp_path / "f.npz")
    assert np.array_equal(arrays["vectors"], VECTORS_NKD)
    assert arrays["texts"].tolist() == TEXTS
    rows = lines(tmp_path / "f.jsonl")
    assert [row["text"] for row in rows] == TEXTS
    found = np.array([row["vector"] for row in rows], np.float32)
    assert np.array_equal(found, VECTORS_NKD)


def test_one_layer_has_no_dimension_of_its_own(tmp_path):
    write_texts(tmp_path / "f.npy", TEXTS, VECTORS_NKD[:, :1])
    write_pieces(tmp_path / "f.jsonl", TEXTS, PIECES, [item[:1] for item in RAGGED])

    assert np.load(tmp_path / "f.npy").shape == (3, 4)
    assert np.array(lines(tmp_path / "f.jsonl")[1]["vectors"]).shape == (3, 4)


def test_vectors_of_pieces_come_back_as_they_were(tmp_path):
    for suffix in (".npz", ".jsonl"):
        write_pieces(tmp_path / f"f{suffix}", TEXTS, PIECES, RAGGED)

    arrays = loaded(tmp_path / "f.npz")
    parts = np.split(arrays["vectors"], arrays["lengths"].cumsum()[:-1])
    assert [part.swapaxes(0, 1).tolist() for part in parts] == [item.tolist() for item in RAGGED]
    assert arrays["pieces"].tolist() == ["the", "cat", "我爱", "北", "京"]
    assert arrays["texts"].tolist() == TEXTS
    rows = lines(tmp_path / "f.jsonl")
    assert [(row["text"], row["pieces"]) for row in rows] == list(zip(TEXTS, PIECES, strict=True))
    for row, expected in zip(rows, RAGGED, strict=True):
        found = np.array(row["vectors"], np.float32).reshape(-1, 2, 4)
        assert np.array_equal(found.swapaxes(0, 1), expected)


def test_nothing_makes_an_empty_file(tmp_path):
    write_pieces(tmp_path / "f.npz", [], [], [])
    write_texts(tmp_path / "f.jsonl", [], np.zeros((0, 1, 4), np.float32))

    assert loaded(tmp_path / "f.npz")["lengths"].tolist() == []
    assert (tmp_path / "f.jsonl").read_bytes() == b""


def test_a_file_is_whole_or_not_there(tmp_path):
    with pytest.raises(ValueError, match="zip"):
        write_texts(tmp_path / "f.jsonl", TEXTS[:2], VECTORS_NKD)

    assert list(tmp_path.iterdir()) == []


def test_what_a_file_cannot_hold_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"f\.txt: features are not written as '\.txt'"):
        check(tmp_path / "f.txt", ragged=False)
    with pytest.raises(UserError, match="one array cannot hold texts of different lengths"):
        check(tmp_path / "f.npy", ragged=True)
    with pytest.raises(UserError, match="one array"):
        write_pieces(tmp_path / "f.npy", TEXTS, PIECES, RAGGED)
