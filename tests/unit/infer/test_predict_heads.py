"""What the tasks of `unmask predict` make of a model folder, and what they refuse."""

import json

import pytest
import torch

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.finetune.choice.example import Question as Choice
from unmask.finetune.data_config import ChoicesConfig
from unmask.finetune.entities.split import characters, words
from unmask.finetune.squad.read import Question
from unmask.infer.asked import choices
from unmask.infer.config import PredictConfig
from unmask.infer.pipelines import Pipeline
from unmask.infer.run import run
from unmask.infer.tasks.choices import Chooser
from unmask.infer.tasks.entities import EntityFinder, words_and_ideographs
from unmask.infer.tasks.flags import refuse_unread
from unmask.infer.tasks.questions import Answerer
from unmask.model import weights
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    Pretraining,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
    build,
)
from unmask.model.init import initialise

TAGS = ("O", "B-LOC", "I-LOC")
WINDOWS = {"stride": 4, "question": 8, "answer": 3}
TEXT = "the cat and the dog sat on the mat, and the cat ate the fish"


@pytest.fixture
def saved(tiny, tmp_path):
    """Saves a tiny random model with some facts in its manifest."""

    def save(kind, labels=(), facts=None):
        model = build(kind, tiny.model.config, labels)
        initialise(model, 0)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
        weights.save(model.eval(), tmp_path)
        tiny.tokenizer.save(tmp_path)
        if facts is not None:
            manifests.write(tmp_path, "finetune", {}, [], facts)
        return tmp_path

    return save


def test_entities_stand_where_they_say_also_beyond_one_window(saved):
    finder = EntityFinder.open(saved(TokenClassifier, TAGS))
    long = f"{TEXT}. " * 20

    short, empty, other = finder([TEXT, "", long])

    assert empty == {"text": "", "entities": []}
    assert short["entities"]
    assert other["entities"][-1]["end"] > len(long) - len(TEXT)
    for answer in (short, other):
        for one in answer["entities"]:
            assert answer["text"][one["start"] : one["end"]] == one["text"]
            assert 1 / 3 < one["score"] <= 1


@pytest.mark.parametrize(
    ("facts", "splitter"),
    [
        ({"joiner": " "}, words),
        ({"joiner": ""}, characters),
        ({}, words_and_ideographs),
        (None, words_and_ideographs),
    ],
)
def test_words_are_found_as_the_model_was_taught_them(saved, facts, splitter):
    assert EntityFinder.open(saved(TokenClassifier, TAGS, facts)).splitter is splitter


def test_ideographs_are_words_of_their_own_where_nothing_is_known_of_the_model():
    text = "我爱 U.S. 北京2008年、Ōsaka𠀀です"

    found = [text[begin:end] for begin, end in words_and_ideographs(text)]

    assert found == ["我", "爱", "U.S.", "北", "京", "2008", "年", "、", "Ōsaka", "𠀀", "です"]


def asked(text, number=1):
    return Question(str(number), "who sat?", text, (), f"text {number}")


def test_an_answer_has_its_place_and_no_more_tokens_than_was_settled(saved, tiny):
    facts = {"windows": WINDOWS, "max_length": 32}
    answerer = Answerer.open(saved(SpanExtractor, facts=facts), top_k=5)

    (short, long) = answerer([asked(TEXT), asked(TEXT * 9, 2)])

    for answer, text in ((short, TEXT), (long, TEXT * 9)):
        candidates = answer["candidates"]
        assert 1 < len(candidates) <= 5
        assert sum(one["probability"] for one in candidates) == pytest.approx(1)
        assert answer["answer"] == candidates[0]["text"]
        assert all(text[one["start"] : one["end"]] == one["text"] for one in candidates)
        # a slice that begins within a word may be one token more by itself
        spelt = tiny.tokenizer.encode_lines([f" {one['text']}" for one in candidates])
        assert max(map(len, spelt)) <= WINDOWS["answer"] + 1
    assert short.keys() == {"id", "question", "answer", "candidates"}


def test_there_is_no_answer_above_the_threshold_that_was_settled(saved):
    facts = {"windows": WINDOWS, "max_length": 32}
    folder = saved(SpanExtractor, facts=facts | {"null_threshold": 1e6})
    (always,) = Answerer.open(folder)([asked(TEXT)])
    (never,) = Answerer.open(saved(SpanExtractor, facts=facts | {"null_threshold": -1e6}))(
        [asked(TEXT)]
    )

    assert always["answer"]
    assert never["answer"] == ""
    assert always["null_odds"] == never["null_odds"]
    assert "" in [one["text"] for one in never["candidates"]]


def choice(*options, number=1):
    return Choice(
        id=str(number),
        passage="",
        question="the cat sat on",
        options=options,
        gold=None,
        place=f"text {number}",
    )


def test_a_choice_has_a_share_for_every_option(saved):
    chooser = Chooser.open(saved(MultipleChoice, facts={"options": 2, "task": "choices"}))

    first, second = chooser([choice("the mat", "the fish"), choice("a", "b", number=2)])

    assert sum(first["scores"].values()) == pytest.approx(1)
    assert first["answer"] == max(first["scores"], key=first["scores"].get)
    assert (first["id"], second["id"]) == ("1", "2")
    assert list(chooser([])) == []
    with pytest.raises(UserError, match="3 options where the model was trained with 2"):
        list(chooser([choice("a", "b", "c")]))


def test_questions_of_flags(tmp_path):
    config = PredictConfig(model=tmp_path, text=("a", "b"), option=("x", "y"))
    on_passages = PredictConfig(model=tmp_path, text=("a",), option=("x", "y"), question="who?")

    assert [(one.question, one.passage) for one in choices(config)] == [("a", ""), ("b", "")]
    assert [(one.question, one.passage) for one in choices(on_passages)] == [("who?", "a")]


@pytest.mark.parametrize("flags", [{"question": "who?"}, {"option": ("a", "b")}])
def test_a_table_of_questions_has_its_own_options(tmp_path, flags):
    config = PredictConfig(model=tmp_path, input=tmp_path / "rows.jsonl", **flags)

    with pytest.raises(UserError, match=r"rows\.jsonl has questions and options of its own"):
        choices(config)


FLAGS = {
    "question": ("who?", {SpanExtractor, MultipleChoice}),
    "option": (("a", "b"), {MultipleChoice}),
    "choices": (ChoicesConfig(options=("a",)), {MultipleChoice}),
    "top_k": (3, {MaskedLM, SpanExtractor}),
    "text_column": (
        "a",
        {MaskedLM, SequenceClassifier, TokenClassifier, SpanExtractor},
    ),
    "pair": ("b", {MaskedLM, SequenceClassifier}),
    "pair_column": ("a", {MaskedLM, SequenceClassifier, SpanExtractor}),
}
KINDS = [
    *(MaskedLM, SequenceClassifier, TokenClassifier, SpanExtractor, MultipleChoice),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_that_a_head_does_not_read_is_refused(tmp_path, name, kind):
    value, kinds = FLAGS[name]
    file = tmp_path / "a.tsv" if "column" in name or name == "choices" else None
    config = PredictConfig(model=tmp_path, input=file, **{name: value})

    if kind in kinds:
        refuse_unread(config, kind)
    else:
        with pytest.raises(UserError, match=f"^--{name.replace('_', '-')}.*{tmp_path}"):
            refuse_unread(config, kind)


def test_a_row_of_the_embedding_without_a_token_fills_no_mask(saved, tiny):
    folder = saved(MaskedLM)

    (answer,) = Pipeline.open(folder, top_k=10_000)([f"the {tiny.mask} sat"])

    ids = [one["id"] for one in answer["masks"][0]]
    assert sorted(ids) == list(range(tiny.tokenizer.vocabulary))
    assert sum(one["probability"] for one in answer["masks"][0]) < 1


def test_a_model_of_both_objectives_fills_masks_as_its_language_model_does(
    saved, tiny, tmp_path_factory
):
    if tiny.family == "roberta":
        pytest.skip("RoBERTa has no such folder: its language model is saved alone")
    folder = saved(Pretraining)
    alone = tmp_path_factory.mktemp("alone")
    weights.save(weights.load_pretraining(folder)[0].lm, alone)
    tiny.tokenizer.save(alone)
    texts = [f"the {tiny.mask} sat", f"a {tiny.mask}"]

    assert list(Pipeline.open(folder)(texts)) == list(Pipeline.open(alone)(texts))


def test_the_text_that_cannot_be_answered_is_named(saved):
    pipeline = Pipeline.open(saved(MaskedLM))

    with pytest.raises(UserError, match="text 'the cat sat': no "):
        list(pipeline(["the cat sat"]))


def test_a_person_who_types_gets_each_answer_at_once(saved, monkeypatch, capsys):
    """The next line is read when the answer to the one before is out."""
    folder = saved(SequenceClassifier, ("no", "yes"))
    seen = []

    class Typing:
        buffer = property(lambda self: self.lines())

        def isatty(self):
            return True

        def lines(self):
            for text in ("the cat", "the dog"):
                yield f"{text}\n".encode()
                seen.append(json.loads(capsys.readouterr().out)["text"])

    monkeypatch.setattr("sys.stdin", Typing())

    run(PredictConfig(model=folder))

    assert seen == ["the cat", "the dog"]
