"""What a contract says, and which exports get none."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from unmask.core import files
from unmask.core.errors import UserError
from unmask.export.config import ExportConfig
from unmask.export.contract import Contract, Speed
from unmask.export.exporting import Answers, _hold, _require_numbers, _require_rows
from unmask.export.fused import expected
from unmask.export.parity import Parity, chosen, parity
from unmask.model import weights

SAME = Parity(
    compared=4,
    max_difference=1e-6,
    mean_difference=1e-7,
    std_difference=1e-7,
    max_relative=1e-5,
    mean_relative=1e-6,
    same_argmax=1.0,
)
CONFIG = ExportConfig(model=Path("model"), out=Path("out"))


def contract(**settings):
    held = Contract(
        metric="f1",
        data="some/dev.tsv",
        source={"f1": 0.9},
        export={"f1": 0.9},
        drop=0.0,
        runtime="torch",
        ran="pt2",
        parity=SAME,
        speeds={"torch fp32": Speed(1.0, 1.0), "pt2": Speed(2.0, 0.5)},
        fused={},
        eight_bits=None,
    )
    return dataclasses.replace(held, **settings)


@pytest.mark.parametrize("drop", [0.31, math.nan])
def test_a_drop_that_is_too_large_or_no_number_gets_no_contract(drop):
    with pytest.raises(UserError, match="points of f1, more than --max-drop"):
        _hold(contract(drop=drop), CONFIG)


@pytest.mark.parametrize("worst", [math.nan, math.inf])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_answers_that_are_no_numbers_get_no_contract(worst, precision):
    broken = dataclasses.replace(SAME, max_difference=worst)

    with pytest.raises(UserError, match=f"not finite in {precision}"):
        _hold(contract(parity=broken), dataclasses.replace(CONFIG, precision=precision))


def test_what_holds_is_let_through():
    _hold(contract(drop=0.3), CONFIG)


def answers(*logits, points=1.0):
    return Answers([np.array(logits, np.float32)], {"mcc": points}, "mcc", points)


def test_nothing_is_held_to_a_source_without_numbers():
    with pytest.raises(UserError, match="model: answers with numbers that are not finite"):
        _require_numbers(answers(1.0, math.nan), Path("model"))
    with pytest.raises(UserError, match="has no mcc on these data, which is nan"):
        _require_numbers(answers(1.0, points=math.nan), Path("model"))
    _require_numbers(answers(1.0), Path("model"))


@pytest.fixture
def folders(tmp_path):
    """A model of two shards, and its export."""
    for name, size in (("a", 2), ("b", 3)):
        safetensors.torch.save_file({name: torch.zeros(size)}, tmp_path / f"{name}.safetensors")
    weight_map = {"b": "b.safetensors", "a": "a.safetensors", "a2": "a.safetensors"}
    files.write_json(tmp_path / "model.safetensors.index.json", {"weight_map": weight_map})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.pt2").write_bytes(b"program")
    return tmp_path, tmp_path / "out"


def page(folders, **settings):
    model, out = folders
    contract(**settings).write(out, dataclasses.replace(CONFIG, model=model, to="pt2"))
    return json.loads((out / "contract.json").read_text()), (out / "contract.md").read_text()


def test_a_source_of_several_files_has_a_hash_that_all_of_them_change(folders):
    before = weights.sha256(folders[0])
    (folders[0] / "b.safetensors").write_bytes(b"other")

    assert page(folders)[0]["sha256"]["source"] == weights.sha256(folders[0]) != before


def test_an_onnx_file_beside_the_weights_is_not_the_source(folders):
    before = weights.sha256(folders[0])
    (folders[0] / "model.onnx").write_bytes(b"somebody's export")

    assert weights.sha256(folders[0]) == before


def test_the_page_names_data_default_and_source(folders):
    table, text = page(folders)

    assert table["data"] == "some/dev.tsv"
    assert "Scored on `some/dev.tsv`: the source by torch in fp32, the export by pt2." in text
    assert "| torch fp32 (the source) | 1.0 | 1.0 |" in text
    assert "| pt2 (the default) | 2.0 | 0.5 |" in text


def test_the_page_says_that_one_shape_cuts_texts_for_both(folders):
    model, out = folders
    one_shape = dataclasses.replace(CONFIG, model=model, to="pt2", shape=(2, 24))

    contract().write(out, one_shape)

    assert "Both read texts of at most 24 tokens." in (out / "contract.md").read_text()
    assert "Both read" not in page(folders)[1]


@pytest.mark.parametrize(("tokens", "rows"), [(51, 50), (120, 119)])
def test_a_tokenizer_with_more_tokens_than_the_model_has_rows(tokens, rows):
    tokenizer = type("Tokenizer", (), {"vocabulary": tokens})

    with pytest.raises(UserError, match=f"{tokens} tokens, its word embedding {rows} rows"):
        _require_rows(rows, tokenizer, Path("model"))
    _require_rows(tokens, tokenizer, Path("model"))


def test_a_gain_too_small_to_show_has_no_sign(folders):
    assert "loses 0.00 points" in page(folders, drop=-0.001)[1]
    assert "gains 0.11 points" in page(folders, drop=-0.11)[1]


def test_numbers_have_no_choices_to_be_the_same(folders):
    numbers = dataclasses.replace(SAME, same_argmax=None)

    table, text = page(folders, parity=numbers)

    assert table["parity"]["same_argmax"] is None
    assert "choices" not in text.partition("| runtime |")[0]


def logits(*rows):
    return np.array(rows, np.float32)


def test_several_classes_are_chosen_one_by_one():
    left, right = logits([3, 1, -1]), logits([3, -1, -1])

    found = [chosen(one, None, None, "multi_label_classification") for one in (left, right)]

    assert parity([left], [right], [tuple(found)]).same_argmax == pytest.approx(2 / 3)


def test_a_number_is_no_choice():
    left, right = logits([1.0], [2.0]), logits([1.5], [2.0])

    found = [chosen(one, None, None, "regression") for one in (left, right)]

    assert parity([left], [right], [tuple(found)]).same_argmax is None


def test_differences_are_told_as_shares_of_the_sources_numbers():
    found = parity([logits([4, 0, -2])], [logits([5, 3, -1])], [(np.zeros(1), np.zeros(1))])

    assert (found.max_difference, found.max_relative) == (3.0, 3.0)
    assert found.mean_relative == pytest.approx((0.25 + 3 + 0.5) / 3)


def test_a_graph_of_one_shape_has_no_bias_before_gelu():
    assert expected(3, 0, one_shape=True) == expected(3, 0) | {"BiasGelu": 0}
