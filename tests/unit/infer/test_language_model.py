import pytest

from unmask.core.errors import UserError
from unmask.infer.language import model as language_model
from unmask.infer.language.fill import fill
from unmask.infer.language.model import LanguageModel
from unmask.model import weights
from unmask.model.heads import SequenceClassifier


def test_a_folder_is_opened_and_answers_as_the_model_does(tiny, tmp_path):
    weights.save(tiny.model, tmp_path)
    tiny.tokenizer.save(tmp_path)

    opened = LanguageModel.open(tmp_path)

    assert opened.max_length == tiny.lm.max_length
    text = [f"the {tiny.mask}"]
    assert fill(opened, text) == fill(tiny.lm, text)


def test_a_classifier_is_refused(tiny, tmp_path):
    weights.save(SequenceClassifier(tiny.model.config, ("no", "yes")), tmp_path)

    with pytest.raises(UserError, match="a SequenceClassifier, which says nothing about hidden"):
        LanguageModel.open(tmp_path)


def test_a_tokenizer_of_another_model_is_refused(tiny):
    other = type(tiny.model)(tiny_config(tiny, vocabulary=tiny.tokenizer.vocabulary - 1))

    with pytest.raises(UserError, match=r"the tokenizer has \d+ ids and the model only \d+"):
        LanguageModel(other, tiny.tokenizer)


def tiny_config(tiny, **changes):
    import dataclasses

    return dataclasses.replace(tiny.model.config, **changes)


def test_the_head_works_on_masked_places_alone_a_few_at_a_time(tiny, monkeypatch):
    seen = []
    head = tiny.model.head
    monkeypatch.setattr(tiny.model, "head", lambda x: seen.append(len(x)) or head(x))
    monkeypatch.setattr(language_model, "PLACES_AT_ONCE", 3)
    texts = [" ".join([tiny.mask] * count) + " the cat sat" for count in (1, 4, 2, 7)]

    found = fill(tiny.lm, texts)

    assert sum(seen) == 14
    assert max(seen) == 3
    monkeypatch.undo()
    assert [item.filled for item in found] == [item.filled for item in fill(tiny.lm, texts)]


def test_no_batch_is_over_its_tokens(tiny, monkeypatch):
    sizes = []
    asked = tiny.model.encoder.asked

    def spy(ids_BL, *rest):
        sizes.append(ids_BL.numel())
        return asked(ids_BL, *rest)

    monkeypatch.setattr(tiny.model.encoder, "asked", spy)
    monkeypatch.setattr(language_model, "TOKENS_PER_BATCH", 60)
    texts = [f"{tiny.mask} " + "the cat " * count for count in range(12)]

    fill(tiny.lm, texts)

    assert len(sizes) > 2
    assert max(sizes) <= 60
