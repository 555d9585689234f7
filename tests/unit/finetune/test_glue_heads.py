from itertools import permutations

import pytest

from unmask.core.errors import UserError
from unmask.finetune.glue.heads import output_of_label, scale_of_number
from unmask.finetune.glue.tasks import TASKS, task

CLASSES = [one for one in TASKS if one.labels]
DIGITS = ("LABEL_0", "LABEL_1")


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.name)
@pytest.mark.parametrize("spelt", [str, str.upper, lambda name: name.replace("_", " ").title()])
def test_labels_are_matched_by_name_in_any_order_and_case(one, spelt):
    for order in permutations(one.labels):
        outputs = output_of_label([spelt(name) for name in order], one)

        assert tuple(order[output] for output in outputs) == one.labels


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.name)
def test_labels_as_the_files_write_them_are_matched(one):
    for order in permutations(one.written):
        outputs = output_of_label(order, one)

        assert tuple(order[output] for output in outputs) == one.written


def test_fairseqs_mnli_head_says_contradiction_first():
    nameless = ("LABEL_0", "LABEL_1", "LABEL_2")

    assert output_of_label(nameless, task("mnli"), "fairseq") == (2, 1, 0)
    assert output_of_label(nameless, task("mnli"), "glue") == (0, 1, 2)
    assert output_of_label(("contradiction", "neutral", "entailment"), task("mnli")) == (2, 1, 0)


def test_a_number_in_a_name_counts_for_more_than_the_place_of_the_output():
    turned = ("LABEL_1", "LABEL_2", "LABEL_0")

    assert output_of_label(turned, task("mnli"), "glue") == (2, 0, 1)
    assert output_of_label(turned, task("mnli"), "fairseq") == (1, 0, 2)


@pytest.mark.parametrize("order", ["glue", "fairseq", None])
def test_names_win_over_the_order_that_is_given(order):
    assert output_of_label(("positive", "negative"), task("sst2"), order) == (1, 0)


def test_outputs_without_names_need_an_order():
    with pytest.raises(UserError, match="LABEL_0, LABEL_1, do not say which is which") as caught:
        output_of_label(DIGITS, task("rte"))

    assert "entailment, not_entailment; or say in which order" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "outputs"),
    [("cola", (1, 0)), ("sst2", (1, 0)), ("mrpc", (1, 0)), ("qqp", (0, 1)), ("rte", (0, 1))],
)
def test_fairseq_numbers_labels_by_their_frequency(name, outputs):
    assert output_of_label(DIGITS, task(name), "fairseq") == outputs
    assert output_of_label(DIGITS[::-1], task(name), "fairseq") == outputs[::-1]


@pytest.mark.parametrize("name", ["qnli", "wnli"])
def test_an_order_that_is_not_known_is_not_guessed(name):
    with pytest.raises(UserError, match=f"{name}: fairseq's order of its labels is not known"):
        output_of_label(DIGITS, task(name), "fairseq")


@pytest.mark.parametrize(
    ("labels", "name", "said"),
    [
        (("entailment", "neutral", "contradiction"), "rte", "3 labels (entailment, neutral,"),
        (("0", "1"), "mnli", "2 labels (0, 1), mnli has 3"),
        (("LABEL_0",), "sst2", "1 labels (LABEL_0), sst2 has 2"),
        (("negative", "positive"), "stsb", "2 labels (negative, positive), stsb has 1"),
        (("spam", "ham"), "sst2", "2 labels (spam, ham), sst2 has negative, positive"),
        (("positive", "LABEL_1"), "sst2", "2 labels (positive, LABEL_1), sst2 has negative"),
        (("LABEL_1", "LABEL_2"), "sst2", "2 labels (LABEL_1, LABEL_2), sst2 has negative"),
    ],
)
def test_a_head_that_does_not_fit_is_refused_in_one_line(labels, name, said):
    with pytest.raises(UserError) as caught:
        output_of_label(labels, task(name), "glue")

    assert caught.value.what.startswith("a head that does not fit the task: the model has ")
    assert said in caught.value.what
    assert caught.value.hint == f"give a model that was fine-tuned on {name}"


def test_the_one_output_of_a_number_is_its_own():
    assert output_of_label(("LABEL_0",), task("stsb")) == (0,)
    assert scale_of_number(task("stsb"), None) == scale_of_number(task("stsb"), "glue") == 1.0
    assert scale_of_number(task("stsb"), "fairseq") == 5.0
