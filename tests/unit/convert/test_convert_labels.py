"""Names of classes: given, beside the checkpoint, published, or none."""

import pytest

from unmask.convert import labels
from unmask.convert.config import ConvertConfig
from unmask.core.errors import UserError


def refusal(call, *words, **options):
    with pytest.raises(UserError) as caught:
        call(*words, **options)
    return caught.value.what


def test_given_names_come_first(tmp_path):
    labels.save(("x", "y"), tmp_path)

    assert labels.of_head("rte", 2, ("a", "b"), labels.find(tmp_path)) == ("a", "b")
    assert labels.of_head("rte", 2, (), labels.find(tmp_path)) == ("x", "y")


def test_the_published_order_of_mnli_is_not_that_of_glue():
    assert labels.of_head("mnli", 3, (), None) == ("contradiction", "neutral", "entailment")


def test_a_head_of_that_name_with_other_classes_is_another(capsys):
    assert labels.of_head("mnli", 2, (), None) == ("LABEL_0", "LABEL_1")
    assert "nothing names the 2 classes of mnli" in capsys.readouterr().err


def test_a_number_has_one_name(tmp_path):
    (tmp_path / "label").mkdir()
    (tmp_path / "label" / "dict.txt").write_text("0.5 9\n1.0 3\n")

    assert labels.of_head("sts", 1, (), labels.find(tmp_path)) == ("score",)


def test_the_made_up_words_of_fairseq_are_no_classes(tmp_path):
    (tmp_path / "label").mkdir()
    path = tmp_path / "label" / "dict.txt"
    path.write_text("not_entailment 1249\nentailment 1241\nmadeupword0000 0\nmadeupword0001 0\n")

    assert labels.read(path, 2) == ("not_entailment", "entailment")
    assert "names 2 classes, the head has 3" in refusal(labels.read, path, 3)


def test_a_wrong_number_of_names_is_refused():
    assert "--labels names 2 classes, the head rte has 3" in refusal(
        labels.of_head, "rte", 3, ("a", "b"), None
    )


def test_names_come_back_as_they_were(tmp_path):
    names = ("Sports & Ähnliches", "7", "a b c", "新闻")

    labels.save(names, tmp_path)

    assert labels.read(tmp_path / "label" / "dict.txt", 4) == names


@pytest.mark.parametrize("name", ["", " a", "a\nb", "a\tb", "<unk>", "madeupword0001"])
def test_names_that_the_file_cannot_hold_are_refused(name, tmp_path):
    assert f"the label {name!r}".replace("\n", " ") in refusal(labels.save, ("ok", name), tmp_path)


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "dict.txt").write_bytes(b"\xff\xfe")

    assert "not UTF-8" in refusal(labels.read, tmp_path / "dict.txt", 2)


@pytest.mark.parametrize("head", ["", "a.b", "a b", "a#"])
def test_a_head_has_a_name_that_fairseq_can_part(head, tmp_path):
    assert f"--head {head!r}: no name" in refusal(
        ConvertConfig, model=tmp_path, out=tmp_path, head=head
    )


def test_a_class_is_named_once(tmp_path):
    assert "--labels: a comes up again" in refusal(
        ConvertConfig, model=tmp_path, out=tmp_path, labels=("a", "b", "a")
    )
