"""Outputs that other runners write: their order, and what is none."""

import json
import zipfile

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.infer import evaluate
from unmask.infer.config import EvaluateConfig
from unmask.infer.outputs import as_logits, read_outputs
from unmask.model import weights
from unmask.model.heads import SequenceClassifier
from unmask.model.init import initialise


def test_numbers_without_leading_zeros_are_in_their_order(tmp_path):
    for number in range(12):
        np.savez(tmp_path / f"{number}.npz", output_0=np.array([[number]]))

    assert [one[0] for one in read_outputs(tmp_path)] == list(range(12))


def array_of_its_own(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def nothing(path):
    path.touch()


def flipped(path):
    np.savez_compressed(path, output_0=np.arange(1000.0))
    with zipfile.ZipFile(path) as archive:
        begin = archive.infolist()[0].header_offset + 80
    data = bytearray(path.read_bytes())
    data[begin : begin + 40] = b"\xff" * 40
    path.write_bytes(data)


@pytest.mark.parametrize("make", [array_of_its_own, nothing, flipped])
def test_whatever_is_no_archive_is_one_clear_line(tmp_path, make):
    make(tmp_path / "000000.npz")

    with pytest.raises(UserError, match=r"000000.npz: damaged \("):
        read_outputs(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"output_0": ["a", "b"]}, "no numbers of one shape"),
        ({"output_0": [1.0, 2.0], "output_1": [1.0]}, "(2,), float64 (1,), no numbers of one"),
    ],
    ids=str,
)
def test_outputs_that_are_no_numbers_or_do_not_fit_together_are_refused(tmp_path, arrays, what):
    np.savez(tmp_path / "000000.npz", **{name: np.array(one) for name, one in arrays.items()})

    with pytest.raises(UserError) as caught:
        read_outputs(tmp_path)

    assert what in caught.value.what


@pytest.mark.parametrize(
    ("shapes", "by_token"), [([(2,), (3,)], False), ([(4, 2), (4, 3)], True)], ids=str
)
def test_outputs_of_different_widths_are_refused(shapes, by_token):
    outputs = [np.zeros(shape, np.float32) for shape in shapes]

    with pytest.raises(UserError, match=r"output 000001: .*, and the first of "):
        as_logits(outputs, np.array([4, 4]), by_token=by_token)


@pytest.fixture
def classifier(tiny, tmp_path):
    """A classifier of two labels, and a labelled table of two texts."""
    model = SequenceClassifier(tiny.model.config, ("no", "yes"))
    initialise(model, 0)
    weights.save(model, tmp_path / "model")
    tiny.tokenizer.save(tmp_path / "model", model_max_length=48)
    rows = [{"text": "the cat", "label": "no"}, {"text": "a dog", "label": "yes"}]
    (tmp_path / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def settings(folder, **more):
    given = {"model": folder / "model", "data": folder / "dev.jsonl", "task": "table"}
    return EvaluateConfig(**(given | more))


def test_outputs_of_another_model_are_not_scored(classifier):
    (classifier / "outputs").mkdir()
    for number in range(2):
        np.savez(classifier / "outputs" / f"{number:06d}.npz", output_0=np.zeros((1, 3)))

    with pytest.raises(UserError) as caught:
        evaluate.run(settings(classifier, logits=classifier / "outputs"))

    assert caught.value.what.endswith(
        f"outputs of 3 numbers each, and {classifier / 'model'} gives 2"
    )


def test_an_out_that_is_a_file_is_told_before_anything_is_computed(classifier, monkeypatch):
    (classifier / "scores").write_text("mine")
    monkeypatch.setattr(evaluate, "_answered", lambda *_: pytest.fail("it was run"))

    with pytest.raises(UserError, match=r"--out .*scores: a file, not a folder"):
        evaluate.run(settings(classifier, out=classifier / "scores"))
