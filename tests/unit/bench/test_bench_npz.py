"""Inputs as files, run, and read back: the scores are those of evaluate."""

import json

import numpy as np
import pytest

from unmask.bench.config import BenchConfig
from unmask.bench.npz import dump, source
from unmask.bench.npz_config import NpzConfig
from unmask.core.errors import UserError
from unmask.finetune import families
from unmask.finetune.data_config import WindowsConfig
from unmask.finetune.known import Known
from unmask.infer import evaluate
from unmask.infer.backend import open_backend
from unmask.infer.batches import by_sequence, by_token
from unmask.infer.config import EvaluateConfig
from unmask.infer.engine_config import AS_MADE
from unmask.infer.outputs import as_logits, read_outputs
from unmask.model.heads import SequenceClassifier, SpanExtractor, TokenClassifier
from unmask.tokenizer.tokenizer import Tokenizer

LENGTH = 40
TEXTS = ["one", "a longer text", "two words", "x", "what stands in the middle"]
WINDOWS = {
    "table": WindowsConfig(),
    "ner": WindowsConfig(),
    "squad": WindowsConfig(stride=8, question=8),
}
KINDS = {
    "table": (SequenceClassifier, ("no", "yes")),
    "ner": (TokenClassifier, ("O", "B-PER", "I-PER")),
    "squad": (SpanExtractor, ()),
}


@pytest.fixture(scope="session")
def models(model_folder):
    """A tiny random model of every kind of output, by its task."""
    return {task: model_folder(*kind) for task, kind in KINDS.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Labelled data of every task, some of them longer than one window."""
    folder = tmp_path_factory.mktemp("data")
    rows = [{"text": text, "label": ("no", "yes")[len(text) % 2]} for text in TEXTS * 3]
    table = folder / "dev.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ner = folder / "dev.txt"
    ner.write_text("".join(f"Ann B-PER\nLee I-PER\nsees O\n{'x' * n} O\n\n" for n in range(1, 9)))
    qas = [
        {"id": str(n), "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]}
        for n in range(4)
    ]
    context = "Ann sees Bob, and Bob sees nobody at all in the long, long street."
    squad = folder / "dev.json"
    squad.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": qas}]}]}))
    return {"table": table, "ner": ner, "squad": squad}


def written(models, data, task, folder, **settings):
    npz = NpzConfig(task=task, windows=WINDOWS[task])
    place = ("npz", folder)
    config = BenchConfig(model=models[task], data=data[task], dump=place, npz=npz, **settings)
    dump.run(config, folder)


def answered(models, task, folder, out):
    config = BenchConfig(model=models[task], from_=("npz", folder), out=out)
    source.run(config, folder)


@pytest.mark.parametrize("task", KINDS)
def test_scores_of_files_are_those_of_evaluate(models, data, task, tmp_path, capsys):
    written(models, data, task, tmp_path / "in")
    answered(models, task, tmp_path / "in", tmp_path / "out")
    outputs = read_outputs(tmp_path / "out")

    config = EvaluateConfig(model=models[task], data=data[task], task=task, windows=WINDOWS[task])
    (split,) = families.judged(config, Known.of(models[task]), Tokenizer.load(models[task]))
    lengths = split.examples.sequences.lengths_N
    logits = as_logits(outputs, lengths, by_token=task != "table")
    scores = split.judge.scores(logits)
    straight = by_sequence if task == "table" else by_token
    backend = open_backend(models[task], AS_MADE, many=True)
    assert logits == pytest.approx(straight(backend, split.examples.sequences, 1), abs=1e-5)
    assert len(np.unique(logits.round(4))) >= 10

    capsys.readouterr()
    evaluate.run(config)
    expected = json.loads(capsys.readouterr().out)
    assert len(lengths) > 1
    assert {name: expected[name] for name in scores} == scores


@pytest.mark.parametrize(
    ("task", "shapes"),
    [
        ("table", [(1, 2)]),
        ("ner", [(1, LENGTH, 3)]),
        ("squad", [(1, LENGTH), (1, LENGTH)]),
    ],
)
def test_outputs_have_the_shapes_that_runners_give(models, data, task, shapes, tmp_path):
    written(models, data, task, tmp_path / "in")
    answered(models, task, tmp_path / "in", tmp_path / "out")

    with np.load(tmp_path / "out" / "000000.npz") as stored:
        assert [stored[name].shape for name in stored] == shapes
        assert list(stored) == ["output_0", "output_1"][: len(shapes)]


def texts_written(models, tmp_path, **settings):
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"{text}\n" for text in TEXTS))
    folder = tmp_path / "in"
    config = BenchConfig(model=models["table"], data=path, dump=("npz", folder), **settings)
    dump.run(config, folder)
    return folder


def test_samples_are_padded_arrays_under_the_names_of_transformers(models, tokenizer, tmp_path):
    folder = texts_written(models, tmp_path, length=(12,))

    names = (folder / "npz_datalist.txt").read_text().splitlines()
    assert names == [str(folder / f"{number:06d}.npz") for number in range(len(TEXTS))]
    for name, encoding in zip(names, tokenizer.encode(TEXTS, max_length=12), strict=True):
        with np.load(name) as stored:
            arrays = {key: stored[key] for key in stored}
        real = len(encoding.ids)
        assert {key: (one.dtype, one.shape) for key, one in arrays.items()} == dict.fromkeys(
            ("input_ids", "attention_mask", "token_type_ids"), (np.dtype(np.int64), (1, 12))
        )
        assert arrays["input_ids"][0].tolist() == encoding.ids + [1] * (12 - real)
        assert arrays["attention_mask"][0].tolist() == [1] * real + [0] * (12 - real)


def test_without_a_length_samples_are_as_long_as_the_task(models, tmp_path):
    folder = texts_written(models, tmp_path)

    with np.load(folder / "000000.npz") as stored:
        assert stored["input_ids"].shape == (1, LENGTH)


def test_the_order_of_vastai_is_read(models, tmp_path):
    folder = texts_written(models, tmp_path)
    other = tmp_path / "numbered"
    other.mkdir()
    for path in folder.glob("*.npz"):
        with np.load(path) as stored:
            np.savez(
                other / path.name,
                input_0=stored["input_ids"].astype(np.int32),
                input_1=stored["token_type_ids"].astype(np.int32),
                input_2=stored["attention_mask"].astype(np.int32),
            )

    named, numbered = source.read(folder), source.read(other)

    assert named.sequences.ids_T.tolist() == numbered.sequences.ids_T.tolist()
    assert named.sequences.starts_N1.tolist() == numbered.sequences.starts_N1.tolist()


def test_the_list_decides_the_order_and_may_have_come_along_from_elsewhere(models, tmp_path):
    folder = texts_written(models, tmp_path)
    moved = folder.rename(tmp_path / "moved")
    before = source.read(moved).sequences.lengths_N.tolist()
    listed = moved / "npz_datalist.txt"

    lines = listed.read_text().splitlines()
    listed.write_text("\n".join(reversed(lines)))

    assert source.read(moved).sequences.lengths_N.tolist() == before[::-1]


def store(folder, arrays):
    np.savez(folder / "000000.npz", **{key: np.array(one) for key, one in arrays.items()})


GOOD = {"input_ids": [[0, 5, 2, 1]], "attention_mask": [[1, 1, 1, 0]]}


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"input_ids": [[0]]}, "has no attention_mask; there is input_ids"),
        ({"input_1": [[0]]}, "has no input_0; there is input_1"),
        (GOOD | {"attention_mask": [[0, 0, 0, 0]]}, "its mask is all zeros"),
        (GOOD | {"attention_mask": [[0, 1, 1, 1]]}, "its mask is not ones and then zeros"),
        (GOOD | {"attention_mask": [[1, 1]]}, "4 ids, a mask of 2, 4 types"),
    ],
    ids=str,
)
def test_samples_that_mean_nothing_are_one_clear_line(tmp_path, arrays, what):
    store(tmp_path, arrays)

    with pytest.raises(UserError) as caught:
        source.read(tmp_path)

    assert caught.value.what == f"{tmp_path / '000000.npz'}: {what}" or what in caught.value.what


@pytest.mark.parametrize(
    ("ids", "what"),
    [([0] * (LENGTH + 1), f"a sample of {LENGTH + 1} tokens"), ([0, 9999], "id 9999, and ")],
    ids=["long", "unknown"],
)
def test_samples_of_another_model_are_refused(models, tmp_path, ids, what):
    store(tmp_path, {"input_ids": [ids], "attention_mask": [[1] * len(ids)]})

    with pytest.raises(UserError) as caught:
        answered(models, "table", tmp_path, tmp_path / "out")

    assert what in caught.value.what


def test_a_length_beyond_what_the_model_reads_is_refused(models, tmp_path):
    with pytest.raises(UserError) as caught:
        texts_written(models, tmp_path, length=(LENGTH + 1,))

    assert caught.value.what.startswith(f"--length {LENGTH + 1}: ")


def test_a_folder_that_holds_something_is_not_written_into(models, tmp_path):
    texts_written(models, tmp_path)

    with pytest.raises(UserError, match="is not empty"):
        texts_written(models, tmp_path)


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"logits": [1.0]}, "has no output_0; there is logits"),
        ({"output_1": [1.0]}, "has no output_0; there is output_1"),
        ({"output_0": [1.0, np.nan]}, "holds what is no number"),
    ],
    ids=str,
)
def test_outputs_that_mean_nothing_are_one_clear_line(tmp_path, arrays, what):
    store(tmp_path, arrays)

    with pytest.raises(UserError) as caught:
        read_outputs(tmp_path)

    assert what in caught.value.what


def test_damaged_and_missing_outputs_are_one_clear_line(tmp_path):
    for folder, what in ((tmp_path, "has no .npz files"), (tmp_path / "none", "no such folder")):
        with pytest.raises(UserError, match=what):
            read_outputs(folder)
    (tmp_path / "000000.npz").write_bytes(b"PK half of it")
    with pytest.raises(UserError, match="damaged"):
        read_outputs(tmp_path)


@pytest.mark.parametrize(
    ("shapes", "lengths", "by_token", "what"),
    [
        ([(2,)], [3, 4], False, "1 outputs for 2 samples"),
        ([(3, 2)], [3], False, "output 000000: of shape (3, 2)"),
        ([(3, 2)], [4], True, "output 000000: of shape (3, 2), for 4 tokens"),
        ([(3,)], [3], True, "output 000000: of shape (3,)"),
    ],
    ids=str,
)
def test_outputs_of_other_samples_are_refused(shapes, lengths, by_token, what):
    outputs = [np.zeros(shape, np.float32) for shape in shapes]

    with pytest.raises(UserError) as caught:
        as_logits(outputs, np.array(lengths), by_token=by_token)

    assert caught.value.what.startswith(what)
