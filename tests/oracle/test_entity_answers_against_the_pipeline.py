"""Entities of `unmask predict` beside transformers' token classification pipeline.

On the same folders, with two hundred real sentences each, English and Chinese. Theirs answers for
tokens and has rules of its own for what a word is; ours finds words first.
"""

import dataclasses
import functools
import gzip
import re
import warnings

import pytest

from unmask.infer.tasks.entities import words_and_ideographs
from unmask.model.heads import TokenClassifier

transformers = pytest.importorskip("transformers")

COUNT = 200
TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")

all_families = pytest.mark.parametrize("family", ["roberta", "bert", "chinese"])


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


@pytest.fixture(scope="session")
def news(shared_data):
    """Sentences of CoNLL-2003, or for Chinese of the People's Daily, as running text."""

    @functools.cache
    def read(family):
        path, between = "conll2003/eng.testa.gz", " "
        if family == "chinese":
            path, between = "peoples_daily_ner/example.dev.gz", ""
        sentences = [
            between.join(line.split(" ")[0] for line in block.splitlines())
            for block in "\n".join(lines(shared_data / path)).split("\n\n")
        ]
        return [text for text in sentences if text and not text.startswith("-DOCSTART-")]

    return read


def tokens_of(folder, texts, strategy="none", **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its rule where words of byte-level tokens are
        transformers.utils.logging.disable_progress_bar()
        pipeline = transformers.pipeline(
            "token-classification",
            str(folder),
            aggregation_strategy=strategy,
            device="cpu",
            **settings,
        )
        return pipeline(texts)


@dataclasses.dataclass
class Word:
    begin: int
    end: int
    tag: str
    score: float


def read_alike(text, tokens):
    """Whether every word has a token that begins in it, and not as the end of another word."""
    begins = {item["start"] for item in tokens if not item["word"].startswith("##")}
    return all(begins & set(range(*place)) for place in words_and_ideographs(text))


def words_of(text, tokens):
    """The words of a text, each with the answer to its first token."""
    found = []
    for begin, end in words_and_ideographs(text):
        first = next(item for item in tokens if begin <= item["start"] < end)
        found.append(Word(begin, end, first["entity"], float(first["score"])))
    return found


def entities_of(words):
    """An I- of the same type goes on with an entity, every other tag but O begins one."""
    groups = []
    for before, word in zip([None, *words], words, strict=False):
        if before and word.tag[0] == "I" and before.tag[1:] == word.tag[1:]:
            groups[-1].append(word)
        elif word.tag != "O":
            groups.append([word])
    return [
        {
            "entity_group": group[0].tag[2:],
            "start": group[0].begin,
            "end": group[-1].end,
            "score": sum(word.score for word in group) / len(group),
        }
        for group in groups
    ]


def assert_same_entities(answers, texts, expected):
    for text, answer, theirs in zip(texts, answers, expected, strict=True):
        found = answer["entities"]
        assert [(one["type"], one["start"], one["end"]) for one in found] == [
            (one["entity_group"], one["start"], one["end"]) for one in theirs
        ], text
        assert [one["score"] for one in found] == pytest.approx(
            [one["score"] for one in theirs], abs=1e-5
        )
        assert [one["text"] for one in found] == [text[one["start"] : one["end"]] for one in theirs]
    assert sum(len(answer["entities"]) for answer in answers) > COUNT


@all_families
def test_entities_are_made_of_the_same_tags_of_tokens(family, model_folder, news, predicted):
    """With strategy "none" theirs answers for tokens; ours for words, by their first tokens.

    Signs are words of their own to us, and tokenised apart. Byte-level BPE may have one token of
    two dashes, and BERT's takes 2∶0 for one word; nothing else is read in two ways.
    """
    folder, texts = model_folder(family, TokenClassifier, TAGS), news(family)[: COUNT + 20]
    tokens = tokens_of(folder, texts, ignore_labels=[])
    same = [(text, one) for text, one in zip(texts, tokens, strict=True) if read_alike(text, one)]
    texts, tokens = [text for text, _ in same], [one for _, one in same]

    answers = predicted(folder, text=tuple(texts))

    assert len(texts) >= COUNT
    theirs = [entities_of(words_of(text, one)) for text, one in zip(texts, tokens, strict=True)]
    assert_same_entities(answers, texts, theirs)


def their_words(family, text, tokens):
    """What is one word to strategy "first": by spaces, or for BERT whatever has no ##."""
    if family == "roberta":
        return [match.span() for match in re.finditer(r"\S+", text)]
    places = []
    for item in tokens:
        if item["word"].startswith("##"):
            places[-1] = places[-1][0], item["end"]
        else:
            places.append((item["start"], item["end"]))
    return places


@all_families
def test_entities_are_those_of_the_pipeline_where_words_are_the_same(
    family, model_folder, news, predicted
):
    """BERT's words end at every sign, as in 1996-08-30, and byte-level ones at spaces alone."""
    folder = model_folder(family, TokenClassifier, TAGS)
    sentences = news(family)[: 3 * COUNT]
    tokens = tokens_of(folder, sentences, ignore_labels=[])
    texts = [
        text
        for text, one in zip(sentences, tokens, strict=True)
        if their_words(family, text, one) == list(words_and_ideographs(text))
    ][:COUNT]

    answers = predicted(folder, text=tuple(texts))

    assert len(texts) == COUNT
    assert_same_entities(answers, texts, tokens_of(folder, texts, "first"))
