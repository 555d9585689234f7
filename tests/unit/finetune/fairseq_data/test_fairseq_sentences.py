"""Folders of fairseq as tasks: what outputs and labels are to each other, and what is refused."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from unmask.core.errors import UserError
from unmask.finetune.config import FinetuneConfig, JudgedConfig
from unmask.finetune.data_config import ColumnsConfig
from unmask.finetune.glue import tasks as glue_tasks
from unmask.finetune.known import Known
from unmask.finetune.sentences import fairseq
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.family import BERT

TOKENIZER = word_piece(
    {token: id_ for id_, token in enumerate([*BERT.specials, "a", "b"])}, lowercase=True
)
HERE = Path("model")


@pytest.fixture
def data(tmp_path, write):
    """Write a folder with these labels in fairseq's order, and these examples in each split."""

    def make(order, train, valid):
        for name, column in (("train", train), ("valid", valid)):
            write(tmp_path / "input0" / name, [[4, 2]] * len(column))
            write(tmp_path / "label" / name, [[4 + order.index(label), 2] for label in column])
        (tmp_path / "input0" / "dict.txt").write_text("a 9\nb 8\n")
        (tmp_path / "label" / "dict.txt").write_text("".join(f"{label} 1\n" for label in order))
        return tmp_path

    return make


@pytest.fixture
def rated(tmp_path, write):
    """A folder with numbers."""
    for name in ("train", "valid"):
        write(tmp_path / "input0" / name, [[4, 2], [5, 2]])
        (tmp_path / "label").mkdir(exist_ok=True)
        (tmp_path / "label" / f"{name}.label").write_text("0.25\n1\n")
    (tmp_path / "input0" / "dict.txt").write_text("a 9\nb 8\n")
    return tmp_path


def learnt(folder, task="table", **more):
    config = FinetuneConfig(data=folder, model=HERE, out=HERE, task=task, **more)
    return fairseq.learnt(config, TOKENIZER, 9)


def judged(folder, labels, task=None, problem="single_label_classification", **more):
    known = Known(HERE, SequenceClassifier, tuple(labels), problem, {})
    config = JudgedConfig(model=HERE, data=folder, task=task, **more)
    (split,) = fairseq.judged(config, known, TOKENIZER, 9)
    return split


def refusal(call, *words, **options):
    with pytest.raises(UserError) as caught:
        call(*words, **options)
    return f"{caught.value.what} | {caught.value.hint}"


def one_hot(outputs, count):
    return np.eye(count, dtype=np.float32)[outputs]


@pytest.mark.parametrize("task", ["cola", "sst2", "mrpc", "qqp", "qnli", "rte", "wnli", "mnli"])
def test_scores_are_those_of_the_task_whatever_fairseqs_order_is(task, data):
    glue = glue_tasks.task(task)
    dice = np.random.default_rng(len(task))
    gold, said = (dice.choice(glue.written, 40).tolist() for _ in range(2))
    for order in itertools.permutations(glue.written):
        folder = data(order, gold[::-1], gold)
        name_of = dict(zip(glue.written, glue.labels, strict=True))
        names = tuple(name_of[label] for label in order)
        logits = one_hot([order.index(label) for label in said], len(order))

        found = learnt(folder, task)

        assert found.head.labels == names
        assert found.train.targets.tolist() == [order.index(label) for label in gold[::-1]]
        assert found.dev.examples.targets.tolist() == [order.index(label) for label in gold]
        expected = {"accuracy": np.mean(np.array(gold) == np.array(said))}
        if "mcc" in glue.metrics:
            expected["mcc"] = matthews_corrcoef(gold, said)
        if "f1" in glue.metrics:
            expected["f1"] = f1_score(gold, said, pos_label=glue.written[1])
        expected = {name: expected[name] for name in glue.metrics}
        assert found.dev.judge.scores(logits) == pytest.approx(expected)
        assert judged(folder, names, task).judge.scores(logits) == pytest.approx(expected)
        other = one_hot([glue.written.index(label) for label in said], len(order))
        assert judged(folder, glue.labels, task).judge.scores(other) == pytest.approx(expected)


@pytest.mark.parametrize("task", ["rte", "table"])
def test_outputs_without_names_are_in_the_folders_order_if_fairseq_trained_them(task, data):
    order = ("entailment", "not_entailment")
    folder = data(order, order, ("not_entailment", "not_entailment", "entailment"))
    unnamed = ("LABEL_0", "LABEL_1")

    judge = judged(folder, unnamed, task, order="fairseq").judge

    assert judge.scores(one_hot([1, 1, 0], 2))["accuracy"] == 1.0
    refused = refusal(judged, folder, unnamed, task)
    assert "LABEL_0, LABEL_1" in refused
    assert "order" in refused


def test_a_folder_that_fairseqs_model_of_glue_cannot_be_from_is_refused(data):
    order = ("not_entailment", "entailment")
    folder = data(order, order, order)

    assert "order of labels, not_entailment, entailment, is not that of fairseq's rte" in refusal(
        judged, folder, ("LABEL_0", "LABEL_1"), "rte", order="fairseq"
    )


def test_the_order_of_transformers_is_the_tasks_own(data):
    folder = data(("1", "0"), ("1", "0"), ("1", "1", "0"))

    judge = judged(folder, ("LABEL_0", "LABEL_1"), "sst2", order="glue").judge

    assert judge.scores(one_hot([1, 1, 0], 2)) == {"accuracy": 1.0}


def test_a_task_of_ones_own_keeps_its_names(data):
    folder = data(("spam", "ham"), ("spam", "ham"), ("ham", "spam"))

    assert learnt(folder).head.labels == ("spam", "ham")
    judge = judged(folder, ("ham", "spam")).judge
    assert judge.scores(one_hot([0, 1], 2))["accuracy"] == 1.0
    assert "the model has ham, eggs, the folder spam, ham | give a model" in refusal(
        judged, folder, ("ham", "eggs")
    )


def test_numbers_are_learnt_and_scored_as_they_stand(rated):
    found = learnt(rated, "stsb")

    assert found.head.problem == "regression"
    assert found.train.targets.tolist() == [0.25, 1.0]
    assert found.metrics == ("pearson", "spearmanr")
    split = judged(rated, ("score",), "stsb", problem="regression")
    scores = split.judge.scores(np.array([[0.1], [0.9]], np.float32))
    assert scores == pytest.approx({"pearson": 1.0, "spearmanr": 1.0})


def test_a_folder_of_another_kind_than_the_task_is_refused(data, rated):
    assert "is labelled with numbers, without label/dict.txt, and --task sst2 tells classes" in (
        refusal(learnt, rated, "sst2")
    )
    assert "is labelled with numbers, model tells no, yes" in refusal(judged, rated, ("no", "yes"))
    classes = data(("1", "0"), ("1", "0"), ("1",))
    assert "is labelled with classes, and --task stsb tells a number" in refusal(
        learnt, classes, "stsb"
    )
    assert "is labelled with classes" in refusal(judged, classes, ("score",), "stsb")


@pytest.mark.parametrize("order", [("yes", "no"), ("1",), ("1", "0", "-1")])
def test_labels_that_are_not_those_of_the_task_are_refused(order, data):
    folder = data(order, order, order)

    assert f"the labels {', '.join(order)} are not those of sst2 | 0, 1 are" in refusal(
        learnt, folder, "sst2"
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"class_weights": "balanced"}, "--class-weights balanced: not for folders of fairseq"),
        ({"folds": 3}, "--folds 3: not for folders of fairseq"),
        ({"columns": ColumnsConfig(text="title")}, "--columns: not for folders of fairseq"),
    ],
)
def test_flags_of_tables_are_refused(flags, said, data):
    folder = data(("spam", "ham"), ("spam", "ham"), ("ham", "spam"))

    assert said in refusal(learnt, folder, **flags)
    if "columns" in flags:
        assert said in refusal(judged, folder, ("spam", "ham"), **flags)
