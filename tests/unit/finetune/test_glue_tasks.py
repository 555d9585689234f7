import pytest

from unmask.core.errors import UserError
from unmask.finetune.glue import presets
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


def test_the_papers_grid_has_six_choices():
    assert presets.PAPER.choices() == [
        (lr, batch) for lr in (1e-5, 2e-5, 3e-5) for batch in (16, 32)
    ]
    paper = presets.PAPER
    assert (paper.epochs, paper.warmup_share, paper.weight_decay, paper.seeds) == (10, 0.06, 0.1, 5)


@pytest.mark.parametrize("one", TASKS[:-1], ids=lambda one: one.name)
def test_fairseqs_settings_fit_the_task(one):
    recipe = presets.fairseq(one)

    assert recipe.outputs == (len(one.labels) or 1)
    share = recipe.warmup / recipe.updates
    assert share == pytest.approx(0.25 if one.name == "qqp" else 0.06, abs=0.001)


def test_fairseq_has_no_settings_for_wnli():
    with pytest.raises(UserError, match="wnli: fairseq has no settings for it"):
        presets.fairseq(task("wnli"))


def test_three_tasks_start_from_mnli():
    assert {task(name).name for name in presets.START_FROM_MNLI} == {"rte", "mrpc", "stsb"}
