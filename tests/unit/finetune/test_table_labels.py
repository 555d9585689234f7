import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.finetune.table import Row, checks
from unmask.finetune.table.labels import (
    balanced_weights,
    class_numbers,
    indicators,
    label_names,
    named_weights,
)


def rows_of(*labels):
    return [Row("x", None, label, f"a.tsv: row {n}") for n, label in enumerate(labels, start=1)]


def complaint(call, *args):
    with pytest.raises(UserError) as caught:
        call(*args)
    return caught.value


def test_labels_are_ordered_by_value_if_all_are_integers_else_by_name():
    assert label_names({"10", "2", "-1"}) == ("-1", "2", "10")
    assert label_names({"yes", "no", "2"}) == ("2", "no", "yes")
    assert label_names({"²", "1"}) == ("1", "²")
    assert label_names({"10", "--1"}) == ("--1", "10")


@given(st.lists(st.sampled_from(["1", "01", "001", "-0", "0", "7"]), min_size=1))
def test_the_order_depends_on_nothing_but_the_names(labels):
    assert label_names(labels) == label_names(reversed(labels)) == label_names(frozenset(labels))


def test_labels_become_their_numbers():
    assert class_numbers(rows_of("b", "a", "b"), ("a", "b")).tolist() == [1, 0, 1]
    assert indicators(rows_of(("b",), (), ("a", "b")), ("a", "b")).tolist() == [
        [False, True],
        [False, False],
        [True, True],
    ]


@pytest.mark.parametrize(("call", "label"), [(class_numbers, "c"), (indicators, ("a", "c"))])
def test_a_label_that_training_never_saw_is_refused(call, label):
    first = ("a",) if isinstance(label, tuple) else "a"

    error = complaint(call, rows_of(first, label), ("a", "b"))

    assert error.what == "a.tsv: row 2: label 'c' does not occur in the training data"
    assert error.hint.startswith("the labels are a, b; correct the row")


@given(st.lists(st.sampled_from("abc"), min_size=1))
def test_balanced_weights_make_every_class_count_the_same(labels):
    names = label_names(labels)

    weight_C = balanced_weights(rows_of(*labels), names)

    totals = [weight * labels.count(name) for name, weight in zip(names, weight_C, strict=True)]
    assert np.allclose(totals, len(labels) / len(names))
    assert np.isclose(sum(totals), len(labels))


def test_a_class_without_rows_has_no_balanced_weight():
    error = complaint(balanced_weights, rows_of("a"), ("a", "b"))

    assert error.what == "balanced class weights: no row has the label 'b'"


def test_weights_by_name_come_in_the_order_of_the_labels():
    assert named_weights({"no": 1, "yes": 2.5}, ("yes", "no")).tolist() == [2.5, 1.0]


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"yes": 1}, "class weights: none for the label 'no'"),
        ({"yes": 1, "no": 1, "maybe": 1}, "class weight of 'maybe': no such label"),
        ({"yes": 1, "no": 0}, "class weight of 'no': 0 is not above 0 and finite"),
        ({"yes": float("nan"), "no": 1}, "class weight of 'yes': nan is not above 0 and finite"),
        ({"yes": float("inf"), "no": 1}, "class weight of 'yes': inf is not above 0 and finite"),
    ],
)
def test_weights_that_do_not_fit_the_labels_are_refused(given_, said):
    assert complaint(named_weights, given_, ("yes", "no")).what == said


@pytest.mark.parametrize(
    ("check", "bad", "good", "said"),
    [
        (checks.require_classes, ["a", "a"], ["a", "b"], "all 2 rows have the label 'a'"),
        (checks.require_labels, [(), ()], [(), ("a",)], "none of the 2 rows has a label"),
        (checks.require_spread, [2.5, 2.5], [2.5, 3.0], "all 2 rows have the number 2.5"),
    ],
)
def test_training_data_without_anything_to_learn_is_refused(tmp_path, check, bad, good, said):
    check(rows_of(*good), tmp_path)

    assert complaint(check, rows_of(*bad), tmp_path).what == f"{tmp_path}: {said}"
