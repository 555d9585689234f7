"""Which data an export is scored on, which its ranges are read off, and by which score."""

import json
from pathlib import Path

import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.export.config import ExportConfig
from unmask.export.masked_words import text_sequences
from unmask.export.yardstick import Labelled, _settings, _showing, data_of
from unmask.finetune.known import Known
from unmask.model.heads import MaskedLM, SequenceClassifier


@pytest.fixture
def folders(tmp_path):
    """The folder of a fine-tuning's data, and other labelled data."""
    for name in ("taught", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "test.tsv").write_text("")
    (tmp_path / "more.tsv").write_text("")
    return tmp_path


def known(folder, *, taught=True, kind=SequenceClassifier, facts=None):
    model = folder / "model"
    model.mkdir(exist_ok=True)
    config = {"data": str(folder / "taught"), "columns": {"text": "words"}} if taught else {}
    manifests.write(model, "finetune", config, [], {})
    return Known(model, kind, ("no", "yes"), None, facts or {})


def config(folder, **paths):
    given = {name: folder / path for name, path in paths.items()}
    return ExportConfig(model=folder / "model", out=folder / "out", precision="int8", **given)


def showing(folder, **paths):
    found = _showing(config(folder, **paths), known(folder))
    return found.data.name, found.split, found.columns.text


def scored(folder, **paths):
    found = _settings(config(folder, **paths), known(folder))
    return found.data.name, found.split, found.columns.text


def test_by_default_all_is_as_in_fine_tuning(folders):
    assert scored(folders) == ("taught", "dev", "words")
    assert showing(folders) == ("taught", "train", "words")


def test_a_folder_of_data_shows_its_own_train_split(folders):
    assert scored(folders, data="other") == ("other", None, "text")
    assert showing(folders, data="other") == ("other", "train", "text")


def test_a_file_that_is_scored_shows_no_ranges(folders):
    assert scored(folders, data="test.tsv") == ("test.tsv", None, "text")
    assert showing(folders, data="test.tsv") == ("taught", "train", "words")


def test_a_file_alone_needs_other_data_to_calibrate_on(folders):
    with pytest.raises(UserError, match="nothing else is known to calibrate on") as caught:
        _showing(config(folders, data="test.tsv"), known(folders, taught=False))

    assert "give --calibration" in caught.value.hint


@pytest.mark.parametrize("data", [None, "test.tsv"])
def test_data_of_the_calibration_are_read_whole(folders, data):
    given = {} if data is None else {"data": data}
    columns = "words" if data is None else "text"

    assert showing(folders, calibration="more.tsv", **given) == ("more.tsv", None, columns)
    assert showing(folders, calibration="other", **given) == ("other", "train", columns)


def test_data_of_the_calibration_are_not_what_is_scored(folders):
    assert scored(folders, calibration="other") == ("taught", "dev", "words")


def test_a_language_model_needs_texts(folders):
    with pytest.raises(UserError, match="a masked language model, and nothing to compare it on"):
        data_of(config(folders), known(folders, kind=MaskedLM))


def metric(taught, scores, split=""):
    part = type("Part", (), {"name": split})
    known = Known(
        Path(), SequenceClassifier, (), None, {} if taught is None else {"metric": taught}
    )
    return Labelled(Path(), [part], known, "table", 1).metric(scores)


def test_the_metric_is_that_of_the_fine_tuning():
    assert metric("f1", {"accuracy": 0.5, "f1": 0.6}) == "f1"
    assert metric("accuracy", {"accuracy_m": 0.5, "accuracy_mm": 0.6}, "m") == "accuracy_m"


@pytest.mark.parametrize("taught", [None, "mcc"])
def test_another_metric_is_named_for_what_it_is(taught):
    assert metric(taught, {"accuracy": 0.5, "f1": 0.6}) == "accuracy"


def test_texts_are_not_longer_than_the_model_reads(tmp_path):
    table = {"architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "vocab_size": 120}
    table |= {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    table |= {"intermediate_size": 64, "max_position_embeddings": 42, "type_vocab_size": 1}
    table |= {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "layer_norm_eps": 1e-5}
    (tmp_path / "config.json").write_text(json.dumps(table))
    asked = ExportConfig(model=tmp_path, out=tmp_path / "out", max_length=41)

    with pytest.raises(UserError, match=r"--max-length 41: .* reads at most 40 tokens"):
        text_sequences(tmp_path / "texts.txt", asked, None)
