"""Classes, numbers and masks of `unmask predict` beside the pipelines of transformers.

On the same folders, with two hundred real texts each. A fine-tuned classifier's folder is one of
them. Their scores of labels are a sorted list, ours are named, in the order of the labels.
"""

import csv
import gzip
import json
import random
import re
from itertools import islice

import pytest

from unmask.core import locks
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.run import run as finetune
from unmask.model.heads import MaskedLM, SequenceClassifier
from unmask.train.config import OptimConfig

transformers = pytest.importorskip("transformers")

COUNT = 200
TOPICS = ("World", "Sports", "Business", "Sci/Tech")

both_families = pytest.mark.parametrize("family", ["roberta", "bert"])


def pipeline(task, folder, **settings):
    transformers.utils.logging.disable_progress_bar()
    return transformers.pipeline(task, str(folder), device="cpu", **settings)


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def reviews(shared_data):
    """Sentences of SST-2 with their labels."""
    rows = (line.split("\t") for line in lines(shared_data / "glue/SST-2/dev.tsv.gz")[1:])
    return [{"text": text, "label": ["bad", "good"][int(label)]} for text, label in rows]


@pytest.fixture(scope="session")
def pairs(shared_data):
    """Premises and hypotheses of RTE, of up to 250 words."""
    rows = [line.split("\t") for line in lines(shared_data / "glue/RTE/train.tsv.gz")[1:]]
    longest = sorted(rows, key=lambda row: -len(row[1]))[:20]
    return [{"text": row[1], "pair": row[2]} for row in [*longest, *rows[: COUNT - 20]]]


def ranked(scores):
    return sorted(scores.items(), key=lambda item: -item[1])


def assert_same_scores(answers, expected):
    for answer, items in zip(answers, expected, strict=True):
        theirs = {item["label"]: item["score"] for item in items}
        assert answer["scores"] == pytest.approx(theirs, abs=1e-5)
        assert [name for name, _ in ranked(answer["scores"])] == [item["label"] for item in items]
    first = [next(iter(answer["scores"].values())) for answer in answers]
    assert max(first) - min(first) > 0.005


@both_families
def test_a_fine_tuned_classifier_of_single_texts(
    family, model_folder, reviews, predicted, tmp_path
):
    (tmp_path / "task").mkdir()
    for name, part in (("train", reviews[COUNT : COUNT + 64]), ("dev", reviews[-32:])):
        write_rows(tmp_path / "task" / f"{name}.jsonl", part)
    config = FinetuneConfig(
        data=tmp_path / "task",
        model=model_folder(family, MaskedLM),
        out=tmp_path / "run",
        steps=4,
        batch=16,
        optim=OptimConfig(peak_lr=1e-2),
        device="cpu",
        precision="fp32",
    )
    finetune(config)
    locks.release(tmp_path / "run")
    texts = [row["text"] for row in reviews[:COUNT]]

    answers = predicted(tmp_path / "run/model", text=tuple(texts))

    expected = pipeline("text-classification", tmp_path / "run/model", top_k=None)(texts)
    assert_same_scores(answers, expected)
    assert [answer["label"] for answer in answers] == [items[0]["label"] for items in expected]


@both_families
def test_a_classifier_of_pairs_of_which_some_are_too_long(
    family, model_folder, pairs, predicted, tmp_path
):
    folder = model_folder(family, SequenceClassifier, ("yes", "no", "perhaps"))
    long = [{"text": 4 * row["text"], "pair": row["pair"]} for row in pairs[:10]]
    rows = [*long, *pairs[10:]]
    table = write_rows(tmp_path / "pairs.jsonl", rows)

    answers = predicted(folder, input=table, text_column="text", pair_column="pair")

    given = [{"text": row["text"], "text_pair": row["pair"]} for row in rows]
    expected = pipeline("text-classification", folder, top_k=None)(given, truncation=True)
    assert_same_scores(answers, expected)
    assert [answer["text"] for answer in answers] == [row["text"] for row in rows]
    assert all("truncated" in answer for answer in answers[:10])


@both_families
def test_a_classifier_of_several_labels(family, model_folder, shared_data, predicted):
    folder = model_folder(family, SequenceClassifier, TOPICS, "multi_label_classification")
    with gzip.open(shared_data / "ag_news/test.csv.gz", "rt", encoding="utf-8") as file:
        texts = [f"{title} {text}" for _, title, text in islice(csv.reader(file), COUNT)]

    answers = predicted(folder, text=tuple(texts))

    expected = pipeline("text-classification", folder, top_k=None)(texts)
    assert_same_scores(answers, expected)
    for answer, items in zip(answers, expected, strict=True):
        assert set(answer["labels"]) == {one["label"] for one in items if one["score"] >= 0.5}
    assert len({tuple(answer["labels"]) for answer in answers}) > 3


@both_families
def test_a_model_that_tells_a_number(family, model_folder, shared_data, predicted, tmp_path):
    """Their answer to it is a score of the only label; ours is called what it is."""
    folder = model_folder(family, SequenceClassifier, ("score",), "regression")
    with gzip.open(shared_data / "glue/STS-B/stsb-en-dev.csv.gz", "rt", encoding="utf-8") as file:
        rows = [{"text": one, "pair": two} for one, two, _ in islice(csv.reader(file), COUNT)]
    table = write_rows(tmp_path / "pairs.jsonl", rows)

    answers = predicted(folder, input=table, pair_column="pair")

    given = [{"text": row["text"], "text_pair": row["pair"]} for row in rows]
    expected = pipeline("text-classification", folder)(given)
    numbers = [answer["number"] for answer in answers]
    assert numbers == pytest.approx([item["score"] for item in expected], abs=1e-5)
    assert max(numbers) - min(numbers) > 0.1


@pytest.fixture(scope="session")
def masked_texts(shared_data):
    """Sentences of Wikipedia in which one to three words are MASK."""
    dice = random.Random(0)
    paragraphs = [
        line for line in lines(shared_data / "wiki_en/valid.txt.gz") if line.count(" ") > 8
    ]
    texts = []
    for paragraph in dice.sample(paragraphs, COUNT):
        words = paragraph.split(" ")[:120]
        for place in dice.sample(range(len(words)), dice.randint(1, 3)):
            words[place] = re.sub(r"[^\W_]+", "MASK", words[place], count=1)
        texts.append(" ".join(words))
    return [text for text in texts if "MASK" in text]


def by_mask(found):
    """Their candidates of each mask; of a single mask they are not in a list of masks."""
    return [found] if isinstance(found[0], dict) else found


def assert_same_candidates(masks, expected):
    for mask, items in zip(masks, expected, strict=True):
        assert [one["id"] for one in mask] == [item["token"] for item in items]
        assert [one["token"] for one in mask] == [item["token_str"] for item in items]
        assert [one["probability"] for one in mask] == pytest.approx(
            [item["score"] for item in items], rel=1e-4
        )


@both_families
def test_masks_get_the_five_likeliest_tokens(
    family, model_folder, real_tokenizer, masked_texts, predicted
):
    folder = model_folder(family, MaskedLM)
    texts = [text.replace("MASK", real_tokenizer(family).mask_token) for text in masked_texts]

    answers = predicted(folder, text=tuple(texts))

    expected = [by_mask(found) for found in pipeline("fill-mask", folder)(texts)]
    for answer, masks in zip(answers, expected, strict=True):
        assert_same_candidates(answer["masks"], masks)
        if len(masks) == 1:
            assert answer["filled"] == masks[0][0]["sequence"].strip()
    assert {len(masks) for masks in expected} == {1, 2, 3}
    assert len({masks[0][0]["token"] for masks in expected}) > 5


@both_families
def test_masks_get_the_likeliest_of_some_words(
    family, model_folder, real_tokenizer, masked_texts, predicted
):
    """In byte-level BPE a word after a space is another token: theirs has to be told so."""
    folder = model_folder(family, MaskedLM)
    words = ("king", "water", "city", "red", "seven")
    mask = real_tokenizer(family).mask_token
    spaced = [text for text in masked_texts if text.count("MASK") == text.count(" MASK")]
    texts = [text.replace("MASK", mask) for text in spaced]

    answers = predicted(folder, text=tuple(texts), targets=words, top_k=3)

    tokens = ["Ġ" + word if family == "roberta" else word for word in words]
    theirs = pipeline("fill-mask", folder)(texts, targets=tokens, top_k=3)
    for answer, found in zip(answers, theirs, strict=True):
        assert_same_candidates(answer["masks"], by_mask(found))
