"""Settings that would be ignored are refused, and so is more than one file holds."""

from pathlib import Path

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.export.config import ExportConfig, Int8Config
from unmask.export.graph import nodes
from unmask.export.masked_words import _refuse_unread
from unmask.finetune.data_config import EntitiesConfig, WindowsConfig


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"range": "mse", "percentile": 99.9}, "--int8.percentile 99.9 with --int8.range mse"),
        ({"range": "mse", "activations": "dynamic"}, "--int8.range mse with --int8.activations"),
        ({"percentile": 99.9, "activations": "dynamic"}, "--int8.percentile 99.9 with --int8.act"),
    ],
)
def test_settings_of_ranges_that_are_not_looked_for(settings, what):
    with pytest.raises(UserError) as caught:
        Int8Config(**settings)

    assert what in caught.value.what
    assert "leave one of them out" in caught.value.hint


def test_settings_that_are_read_are_taken():
    assert Int8Config(percentile=99.9).percentile == 99.9
    assert Int8Config(range="entropy").range == "entropy"
    assert Int8Config(activations="dynamic").activations == "dynamic"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task", "sst2"),
        ("order", "glue"),
        ("windows", WindowsConfig(stride=7)),
        ("entities", EntitiesConfig(word=1)),
    ],
)
def test_settings_of_labelled_data_with_a_masked_language_model(name, value):
    config = ExportConfig(model=Path(), out=Path(), **{name: value})

    with pytest.raises(UserError, match=f"--{name} with a masked language model"):
        _refuse_unread(config)


def test_a_masked_language_model_takes_the_column_of_its_texts():
    _refuse_unread(ExportConfig(model=Path(), out=Path(), max_length=8))


def test_weights_that_one_file_cannot_hold_are_refused(monkeypatch):
    monkeypatch.setattr(nodes, "MOST_BYTES", 15)
    graph = nodes.Graph()
    graph.floats("weight", np.zeros(4))

    with pytest.raises(UserError, match="one ONNX file holds 2 GB") as caught:
        graph.model()

    assert "--to pt2" in caught.value.hint
