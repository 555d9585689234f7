"""What is refused before anything is computed, and what goes into an export folder."""

import importlib.util
import json
from pathlib import Path

import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.export import run as export
from unmask.export.config import ExportConfig
from unmask.finetune.known import Known
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import SequenceClassifier

SIZES = ModelConfig(
    family="roberta",
    vocabulary=120,
    layers=2,
    width=32,
    heads=4,
    feed_forward=64,
    max_length=40,
    types=1,
    norm_eps=1e-5,
    pad_id=1,
)


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "runs" / "model"
    weights.save(SequenceClassifier(SIZES, ("no", "yes")), folder)
    return folder


def config(model, out, **settings):
    return ExportConfig(model=model, out=out, **settings)


@pytest.mark.parametrize("out", ["runs/model", "runs", "runs/model/../model"])
@pytest.mark.parametrize("force", [False, True])
def test_an_export_never_takes_the_place_of_its_model(model, tmp_path, out, force):
    (tmp_path / "dev.tsv").write_text("text\tlabel\na\tno\n")

    with pytest.raises(UserError, match="the model that is read") as caught:
        export.run(config(model, tmp_path / out, data=tmp_path / "dev.tsv", force=force))

    assert caught.value.hint == "give another --out"
    assert (model / "model.safetensors").exists()


def test_an_export_never_takes_the_place_of_its_data(model, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "dev.tsv").write_text("text\tlabel\na\tno\n")
    manifests.write(out, "export", {}, [], {})

    with pytest.raises(UserError, match="the data that is read"):
        export.run(config(model, out, data=out / "dev.tsv", force=True))

    assert (out / "dev.tsv").exists()


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "openvino"])
def test_a_package_that_is_missing_is_told_in_one_line(model, tmp_path, monkeypatch, package):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else find(name)
    )

    with pytest.raises(UserError, match=f"needs {package}$") as caught:
        export.run(config(model, tmp_path / "out"))

    assert "unmask[export]" in caught.value.hint


def test_bf16_that_cannot_be_measured_is_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "has_bf16", lambda _: False)

    with pytest.raises(UserError, match="no bf16 instructions"):
        export.run(config(model, tmp_path / "out", to="openvino", precision="bf16"))


def test_what_speaks_of_the_model_folder_stays_there(model, tmp_path):
    for name in ("vocab.json", "choice.json", "manifest.json", "model.safetensors.index.json"):
        (model / name).write_text("{}")
    (tmp_path / "out").mkdir()

    export._copy_companions(model, tmp_path / "out")

    assert {path.name for path in (tmp_path / "out").iterdir()} == {"config.json", "vocab.json"}


@pytest.mark.parametrize(("taught", "length"), [({}, 24), ({"max_length": 16}, 16)])
def test_an_export_of_one_shape_reads_no_longer_texts_than_were_measured(model, taught, length):
    known = Known.of(model)
    known.facts.update(taught)
    contract = type("Contract", (), {"eight_bits": None, "runtime": "torch", "drop": 0.0})

    facts = export._facts(config(model, Path("out"), shape=(2, 24)), known, contract)

    assert (facts["shape"], facts["max_length"]) == ([2, 24], length)


def test_the_data_of_the_fine_tuning_are_an_input_of_the_export(model, tmp_path, monkeypatch):
    """An export is done again once they have changed."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "dev.tsv").write_text("text\tlabel\na\tno\n")
    (model / "manifest.json").unlink(missing_ok=True)
    manifests.write(model, "finetune", {"data": str(tmp_path / "task")}, [], {})
    seen = []

    def is_done(out, stage, settings, inputs, *, force):
        seen.extend(inputs)
        return True

    monkeypatch.setattr(manifests, "is_done", is_done)

    export.run(config(model, tmp_path / "out"))

    assert [Path(one.path).name for one in seen if one.role == "labelled data"] == ["dev.tsv"]
    assert json.loads((model / "config.json").read_text())["architectures"]
