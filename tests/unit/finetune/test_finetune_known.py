import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.finetune.known import Known
from unmask.model import weights
from unmask.model.heads import MultipleChoice, SequenceClassifier, SpanExtractor, TokenClassifier

from .conftest import LABELS, model_of


@pytest.fixture
def folder(tmp_path):
    weights.save(model_of(), tmp_path / "model")
    return tmp_path / "model"


def test_a_model_folder_says_its_head_its_labels_and_what_it_tells(folder):
    known = Known.of(folder)

    assert known == Known(folder, SequenceClassifier, LABELS, "single_label_classification", {})


def test_what_was_settled_in_fine_tuning_is_in_its_manifest(folder):
    manifests.write(folder, "finetune", {}, [], {"task": "rte", "best_step": 7})

    assert Known.of(folder).facts == {"task": "rte", "best_step": 7}


@pytest.mark.parametrize(
    ("kind", "labels"), [(TokenClassifier, LABELS), (SpanExtractor, ()), (MultipleChoice, ())]
)
def test_other_heads_have_no_problem(kind, labels, tmp_path):
    weights.save(model_of(kind), tmp_path / "model")

    known = Known.of(tmp_path / "model")

    assert (known.kind, known.labels, known.problem) == (kind, labels, None)
    known.require(kind, "what it was made for")


def test_a_head_that_does_not_fit_is_told_with_both_names(folder):
    known = Known.of(folder)
    known.require(SequenceClassifier, "rte")

    with pytest.raises(UserError) as caught:
        known.require(SpanExtractor, "squad")

    assert caught.value.what == (
        f"a head that does not fit the task: {folder} is a SequenceClassifier, squad needs a "
        "SpanExtractor"
    )
    assert caught.value.hint == ("name the --task that it was fine-tuned on, or give another model")


def test_a_model_that_was_never_fine_tuned_is_told_so(pretrained):
    with pytest.raises(UserError) as caught:
        Known.of(pretrained.roberta).require(SequenceClassifier, "rte")

    assert "is a MaskedLM, rte needs a SequenceClassifier" in caught.value.what
    assert caught.value.hint == "give a model that was fine-tuned on it"


def test_a_run_is_no_model(folder):
    with pytest.raises(UserError, match="is a run, not a model"):
        Known.of(folder.parent)
