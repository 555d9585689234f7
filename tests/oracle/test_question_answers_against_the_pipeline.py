"""What `unmask predict` answers to questions beside the question-answering pipeline.

transformers 5 has that pipeline no more, so what it did is written out below. A context is cut into
windows; in each of them the softmax of the start logits and that of the end logits go over the
tokens of the context and `<s>`; the score of a span is the product of both; of each window the
`top_k` best spans that are not too long are kept, and the best of all windows are the answer. The
score of no answer is the least that `<s>` has in any window.

Ours differs in four things. Logits are compared over windows as they are, as run_qa does: a softmax
of each window by itself makes a window without an answer as sure of itself as the one that has it.
Probabilities are those of the candidates among themselves. A span is never widened to whole words
(theirs is, but for `align_to_words=False`). Candidates of the same text are one.
"""

import dataclasses
import gzip
import json
import math

import numpy as np
import pytest
import torch

from unmask.finetune.squad.read import Question
from unmask.infer.tasks.questions import Answerer
from unmask.model.heads import SpanExtractor

transformers = pytest.importorskip("transformers")

COUNT = 200
TOP_K = 20
LENGTH, STRIDE, LONGEST = 384, 128, 30

both_families = pytest.mark.parametrize("family", ["roberta", "bert"])


@dataclasses.dataclass
class Span:
    start: int
    end: int
    logits: float
    """The sum of both."""
    score: float
    """The product of both probabilities in the span's window."""


class Theirs:
    """A model and a tokenizer of transformers, and the rules of the pipeline."""

    def __init__(self, folder):
        transformers.utils.logging.disable_progress_bar()
        self.model = transformers.AutoModelForQuestionAnswering.from_pretrained(folder).eval()
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def __call__(self, question, context):
        """Spans of every window, and (logits, score) of no answer in each."""
        windows = self.tokenizer(
            question,
            context,
            truncation="only_second",
            max_length=LENGTH,
            stride=STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        spans, none = [], []
        for number in range(len(windows["input_ids"])):
            start_L, end_L = self._logits(windows, number)
            owner = windows.sequence_ids(number)
            asked_L = np.array([who == 1 for who in owner])
            allowed_L = asked_L.copy()
            allowed_L[0] = True
            log_start_L, log_end_L = (log_softmax(one, allowed_L) for one in (start_L, end_L))
            none.append((start_L[0] + end_L[0], math.exp(log_start_L[0] + log_end_L[0])))
            spans.append(
                [
                    Span(
                        windows["offset_mapping"][number][first][0],
                        windows["offset_mapping"][number][last][1],
                        start_L[first] + end_L[last],
                        math.exp(log_start_L[first] + log_end_L[last]),
                    )
                    for first, last in best_places(log_start_L, log_end_L, asked_L)
                ]
            )
        return spans, none

    def _logits(self, windows, number):
        names = [name for name in self.tokenizer.model_input_names if name in windows]
        row = {name: torch.tensor([windows[name][number]]) for name in names}
        with torch.inference_mode():
            found = self.model(**row)
        return found.start_logits[0].double().numpy(), found.end_logits[0].double().numpy()


def log_softmax(logits_L, allowed_L):
    masked_L = np.where(allowed_L, logits_L, -1e4)
    return masked_L - masked_L.max() - np.log(np.exp(masked_L - masked_L.max()).sum())


def best_places(log_start_L, log_end_L, asked_L):
    """The first and the last token of the best spans of a window, the best first."""
    both_LL = log_start_L[:, None] + log_end_L
    fits_LL = np.tril(np.triu(asked_L[:, None] & asked_L), LONGEST - 1)
    both_LL[~fits_LL] = -np.inf
    order = np.argsort(-both_LL, axis=None, kind="stable")[:TOP_K]
    return [np.unravel_index(place, both_LL.shape) for place in order]


def merged(spans, key):
    """The best spans by some score, each text once."""
    best = {}
    for span in sorted(spans, key=key, reverse=True):
        best.setdefault((span.start, span.end), span)
    return list(best.values())


def paragraphs(shared_data):
    with gzip.open(shared_data / "squad/squad2-dev-half.json.gz", "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    return [paragraph for article in articles for paragraph in article["paragraphs"]]


def asked(paragraph, question=0):
    return {
        "question": paragraph["qas"][question]["question"].strip(),
        "text": paragraph["context"],
    }


@pytest.fixture(scope="session")
def short(shared_data):
    """Questions on contexts of one window."""
    rows = [asked(one) for one in paragraphs(shared_data)[::2]]
    return [row for row in rows if len(row["text"]) < 900][:COUNT]


@pytest.fixture(scope="session")
def long(shared_data):
    """Questions on four paragraphs at once."""
    every = paragraphs(shared_data)
    rows = []
    for first in range(0, 4 * 50, 4):
        four = every[first : first + 4]
        text = "\n\n".join(one["context"] for one in four)
        rows.append(asked(four[first % 3]) | {"text": text})
    return rows


def answers(predicted, folder, rows, path):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return predicted(folder, input=path, pair_column="question", top_k=TOP_K)


def assert_same_candidates(found, spans, text):
    """The order and the shares of our candidates are those of the spans, by their logits."""
    texts = {}
    for span in spans[:TOP_K]:
        texts.setdefault(text[span.start : span.end], span)
    expected = list(texts.values())
    candidates = found["candidates"]
    assert [(one["start"], one["end"]) for one in candidates] == [
        (span.start, span.end) for span in expected
    ]
    assert all(one["text"] == text[one["start"] : one["end"]] for one in candidates)
    shares = np.exp([span.logits - expected[0].logits for span in expected])
    assert [one["probability"] for one in candidates] == pytest.approx(
        (shares / shares.sum()).tolist(), abs=1e-4
    )
    assert found["answer"] == candidates[0]["text"]


@both_families
def test_in_one_window_answers_places_and_order_are_theirs(
    family, model_folder, short, predicted, tmp_path
):
    folder = model_folder(family, SpanExtractor)
    theirs = Theirs(folder)

    found = answers(predicted, folder, short, tmp_path / "short.jsonl")

    for row, answer in zip(short, found, strict=True):
        (spans,), _ = theirs(row["question"], row["text"])
        assert_same_candidates(answer, spans, row["text"])
    assert len(found) == COUNT
    assert len({answer["answer"] for answer in found}) > COUNT / 2


@both_families
def test_over_windows_the_best_spans_of_each_are_theirs_but_compared_by_logits(
    family, model_folder, long, predicted, tmp_path
):
    folder = model_folder(family, SpanExtractor)
    theirs = Theirs(folder)

    found = answers(predicted, folder, long, tmp_path / "long.jsonl")

    windows, other = [], 0
    for row, answer in zip(long, found, strict=True):
        by_window, _ = theirs(row["question"], row["text"])
        windows.append(len(by_window))
        spans = [span for some in by_window for span in some]
        best = merged(spans, lambda span: span.logits)[0]
        assert (answer["candidates"][0]["start"], answer["candidates"][0]["end"]) == (
            best.start,
            best.end,
        )
        by_score = merged(spans, lambda span: span.score)[0]
        other += (by_score.start, by_score.end) != (best.start, best.end)
    assert np.mean(windows) > 2
    assert 0 < other < len(long)


@both_families
def test_in_one_window_null_odds_are_those_of_no_answer_to_the_best(family, model_folder, short):
    """Their probability of no answer by that of the best span, as a logarithm.

    Theirs answers nothing above 0, ours above a threshold that was settled in fine-tuning. Over
    several windows theirs takes the least probability, ours the least sum of logits.
    """
    folder = model_folder(family, SpanExtractor)
    theirs = Theirs(folder)
    best, odds = [], []
    for row in short:
        (spans,), ((_, none),) = theirs(row["question"], row["text"])
        best.append(row["text"][spans[0].start : spans[0].end])
        odds.append(math.log(none / spans[0].score))
    threshold = sorted(odds)[COUNT // 2 - 1] + 1e-3
    answerer = dataclasses.replace(Answerer.open(folder, top_k=TOP_K), threshold=threshold)
    questions = [
        Question(str(number), row["question"], row["text"], (), f"text {number}")
        for number, row in enumerate(short)
    ]

    found = list(answerer(questions))

    assert [answer["null_odds"] for answer in found] == pytest.approx(odds, abs=1e-3)
    close = [abs(one - threshold) < 2e-3 for one in odds]
    for answer, text, one, skip in zip(found, best, odds, close, strict=True):
        assert skip or answer["answer"] == ("" if one > threshold else text)
        assert "" in [candidate["text"] for candidate in answer["candidates"]]
    assert sum(close) < COUNT / 20
