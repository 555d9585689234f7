"""Peers are given the same sequences, in batches as their users make them."""

import importlib.util
from itertools import pairwise

import numpy as np
import pytest

from unmask.bench.config import BenchConfig
from unmask.bench.peers import entrants
from unmask.bench.peers.batching import answering, batches
from unmask.core.errors import UserError
from unmask.finetune.sequences import Sequences

PAD = 9
LENGTHS = [5, 2, 7, 1, 3, 6]


@pytest.fixture
def sequences():
    ids = [[10 * number + place for place in range(n)] for number, n in enumerate(LENGTHS, 1)]
    return Sequences.of(ids, [[1] * n for n in LENGTHS])


def rows(found):
    """The real ids of every row, read by its mask."""
    return [
        ids[mask == 1].tolist()
        for ids_BL, mask_BL, _ in found
        for ids, mask in zip(ids_BL, mask_BL, strict=True)
    ]


@pytest.mark.parametrize(("order", "shapes"), [("padded", [(6, 7)]), ("fours", [(4, 5), (2, 7)])])
def test_every_sequence_comes_once_padded_to_the_longest(sequences, order, shapes):
    found = list(batches(sequences, order, PAD))

    starts = sequences.starts_N1
    expected = [sequences.ids_T[a:b].tolist() for a, b in pairwise(starts)]
    assert [ids_BL.shape for ids_BL, _, _ in found] == shapes
    assert sorted(rows(found)) == sorted(expected)
    for ids_BL, mask_BL, types_BL in found:
        assert (ids_BL[mask_BL == 0] == PAD).all()
        assert (types_BL == mask_BL).all()


def test_a_request_is_answered_when_all_its_batches_are(sequences):
    seen = []

    def forward(arrays):
        seen.append(arrays[0].shape)
        return len(seen)

    assert answering(forward, "fours", PAD)(sequences) == 2
    assert seen == [(4, 5), (2, 7)]


def config(model, **settings):
    return BenchConfig(model=model, **settings)


def test_without_peers_nothing_is_looked_for(tmp_path):
    assert entrants.peers_model(config(tmp_path)) is None


def test_peers_of_an_export_need_its_model_folder(tmp_path):
    with pytest.raises(UserError) as caught:
        entrants.peers_model(config(tmp_path, peers=True))

    assert caught.value.what.startswith(f"--peers: {tmp_path} has no model.safetensors")
    assert "--peers-model" in caught.value.hint

    (tmp_path / "model.safetensors").write_bytes(b"")
    assert entrants.peers_model(config(tmp_path / "export", peers=True, peers_model=tmp_path))


def test_peers_without_transformers_are_one_clear_line(tmp_path, monkeypatch):
    found = importlib.util.find_spec

    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "transformers" else found(name)
    )
    with pytest.raises(UserError) as caught:
        entrants.peers_model(config(tmp_path, peers_only=("openvino-fp32",)))

    assert caught.value.what.startswith("--peers: transformers is not installed")
    assert caught.value.hint == "pip install transformers"


def test_ragged_peers_run_both_ways_of_making_batches(tmp_path):
    names = ["transformers-fp32", "openvino-bf16"]

    fixed = entrants.entrants(names, tmp_path, tmp_path, 2, ragged=False)
    both = entrants.entrants(names, tmp_path, tmp_path, 2, ragged=True)

    assert [one.name for one in fixed] == names
    assert [(one.name, one.opening.order) for one in both] == [
        ("transformers-fp32, padded", "padded"),
        ("transformers-fp32, sorted in fours", "fours"),
        ("openvino-bf16, padded", "padded"),
        ("openvino-bf16, sorted in fours", "fours"),
    ]


def test_peers_come_in_one_order_whatever_is_asked_for(tmp_path):
    asked = config(tmp_path, peers_only=("openvino-fp32", "transformers-fp32"))

    assert entrants.chosen(asked) == ("transformers-fp32", "openvino-fp32")
    assert len(entrants.chosen(config(tmp_path, peers=True))) == 8


def test_a_peer_that_cannot_be_prepared_is_told_of(tmp_path):
    ready, reasons = entrants.prepared(
        ("transformers-fp32", "onnxruntime-fp32"), tmp_path / "none", tmp_path
    )

    assert ready == ["transformers-fp32"]
    assert list(reasons) == ["onnxruntime-fp32"]
    assert "none" in reasons["onnxruntime-fp32"]
    assert "\n" not in reasons["onnxruntime-fp32"]


def test_arrays_are_of_the_type_that_graphs_take(sequences):
    for arrays in batches(sequences, "padded", PAD):
        assert {array.dtype for array in arrays} == {np.dtype(np.int64)}
