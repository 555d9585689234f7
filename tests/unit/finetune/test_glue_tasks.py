import pytest

from unmask.core.errors import UserError
from unmask.finetune.glue.tasks import TASKS, task


def test_the_nine_tasks_are_there():
    assert [one.name for one in TASKS] == [
        "cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli",
    ]  # fmt: skip


@pytest.mark.parametrize("one", TASKS, ids=lambda one: one.name)
def test_a_task_has_classes_or_a_number(one):
    assert bool(one.labels) != bool(one.range)
    assert len(one.labels) == len(one.written) == len(set(one.labels))
    assert one.metrics


def test_a_task_is_chosen_by_the_score_that_the_paper_reports():
    first = {one.name: one.metrics[0] for one in TASKS}

    assert first == dict.fromkeys(first, "accuracy") | {"cola": "mcc", "stsb": "pearson"}


def test_the_order_of_labels_is_the_published_one():
    assert task("mnli").labels == ("entailment", "neutral", "contradiction")
    assert task("rte").labels == task("qnli").labels == ("entailment", "not_entailment")
    assert task("wnli").labels == ("not_entailment", "entailment")
    assert task("sst2").labels == ("negative", "positive")


@pytest.mark.parametrize("one", TASKS, ids=lambda one: one.name)
def test_a_task_is_found_by_its_name_and_by_its_folder(one):
    assert task(one.name) is task(one.folder) is task(one.folder.lower()) is one


@pytest.mark.parametrize(
    ("name", "hint"),
    [("mnil", "did you mean mnli?"), ("squad", "one of cola, sst2, mrpc, stsb, qqp, mnli, qnli")],
)
def test_another_name_is_refused(name, hint):
    with pytest.raises(UserError, match=f"{name}: no task of GLUE") as caught:
        task(name)

    assert caught.value.hint.startswith(hint)
