"""SQuAD 1.1 and 2.0 against the rules of the official scripts, written down a second time."""

import gzip
import json
import random
import re
import string
from collections import Counter

import pytest

from unmask.finetune.metrics.answerability import squad2_with_threshold
from unmask.finetune.metrics.squad import normalise, squad1, squad2

PIECES = [
    *("the", "The", "a", "an", "A.N.", "t.h.e", "there", "Athe", "a—b", "the—", "“the”", "an’s"),
    *(
        "École",
        "É",
        "ß",
        "İstanbul",
        "中文",
        "the中",
        "_the_",
        "1,000",
        "$5",
        "U.S.",
        "x",
        "y",
        "y",
    ),
    *(" ", "  ", "\u3000", "\u00a0", "\n", "\t", "!", "...", "'", '"', "-", "…", ""),
]


def plain(text):
    kept = "".join(char for char in text.lower() if char not in string.punctuation)
    runs = re.findall(r"\w+|\W", kept)
    return " ".join("".join(" " if run in ("a", "an", "the") else run for run in runs).split())


def overlap(said, there):
    left, shared = Counter(there), 0
    for word in said:
        if left[word] > 0:
            left[word] -= 1
            shared += 1
    if shared == 0:
        return 0.0
    precision, recall = shared / len(said), shared / len(there)
    return 2 * precision * recall / (precision + recall)


def official_1(references, predictions):
    exact = f1 = 0.0
    for question, answers in references.items():
        if question not in predictions:
            continue
        said = plain(predictions[question])
        exact += max(said == plain(answer) for answer in answers)
        f1 += max(overlap(said.split(), plain(answer).split()) for answer in answers)
    total = len(references)
    return {"exact_match": 100 * exact / total, "f1": 100 * f1 / total, "total": total}


def official_2_raw(references, predictions):
    exact, f1 = {}, {}
    for question, answers in references.items():
        golds = [answer for answer in answers if plain(answer)] or [""]
        said = plain(predictions[question])
        exact[question] = max(int(said == plain(gold)) for gold in golds)
        f1[question] = max(
            overlap(said.split(), plain(gold).split())
            if said and plain(gold)
            else int(said == plain(gold))
            for gold in golds
        )
    return exact, f1


def official_2_averages(references, exact, f1):
    groups = {
        "": list(references),
        "HasAns_": [question for question, answers in references.items() if answers],
        "NoAns_": [question for question, answers in references.items() if not answers],
    }
    scores = {}
    for prefix, group in groups.items():
        if group:
            scores[f"{prefix}exact"] = 100 * sum(exact[one] for one in group) / len(group)
            scores[f"{prefix}f1"] = 100 * sum(f1[one] for one in group) / len(group)
            scores[f"{prefix}total"] = len(group)
    return scores


def official_2_best(references, predictions, scores, no_answer):
    current = best = sum(not answers for answers in references.values())
    threshold = 0.0
    for question in sorted(no_answer, key=no_answer.__getitem__):
        if references[question]:
            current += scores[question]
        elif predictions[question]:
            current -= 1
        if current > best:
            best, threshold = current, no_answer[question]
    return 100 * best / len(scores), threshold


def test_texts_are_normalised_as_by_the_official_scripts():
    draw = random.Random(0)
    for _ in range(5000):
        text = _text(draw, 8)
        assert normalise(text) == plain(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The  Theatre, a la carte!", "theatre la carte"),
        ("A.N. other", "other"),  # punctuation goes first, so this is the article
        ("a—the", "—"),  # not ASCII, so it stays, and is no part of a word
        ("the_a", "thea"),
        ("a1 b", "a1 b"),
        ("  ", ""),
    ],
)
def test_what_is_left_of_a_text(text, left):
    assert normalise(text) == left


def test_squad_1_scores_as_the_official_script():
    draw = random.Random(0)
    for _ in range(400):
        references, predictions = _questions(draw, unanswerable=0.0)
        for question in draw.sample(sorted(predictions), len(predictions) // 5):
            del predictions[question]

        assert squad1(references, predictions) == pytest.approx(official_1(references, predictions))


def test_squad_2_scores_as_the_official_script():
    draw = random.Random(0)
    for share in (0.0, 0.4, 1.0):
        for _ in range(200):
            references, predictions = _questions(draw, unanswerable=share)
            exact, f1 = official_2_raw(references, predictions)

            expected = official_2_averages(references, exact, f1)
            assert squad2(references, predictions) == pytest.approx(expected)


def test_squad_2_at_a_threshold_scores_as_the_official_script():
    draw = random.Random(0)
    for _ in range(600):
        references, predictions = _questions(draw, unanswerable=0.5)
        for question, prediction in predictions.items():
            if not plain(prediction):  # see the unit tests of answerability for these
                predictions[question] = ""
        no_answer = {question: draw.random() for question in references}
        threshold = draw.choice([0.0, 0.3, 1.0, *no_answer.values()])
        raw = official_2_raw(references, predictions)
        kept = [
            {
                question: float(not references[question])
                if no_answer[question] > threshold
                else score
                for question, score in scores.items()
            }
            for scores in raw
        ]
        expected = official_2_averages(references, *kept)
        for name, scores in zip(("exact", "f1"), raw, strict=True):
            best, best_threshold = official_2_best(references, predictions, scores, no_answer)
            expected |= {f"best_{name}": best, f"best_{name}_thresh": best_threshold}

        scores = squad2_with_threshold(references, predictions, no_answer, threshold)

        assert scores == pytest.approx(expected)


def test_the_reference_answers_of_squad_score_100(shared_data):
    path = shared_data / "squad" / "squad2-dev-half.json.gz"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    references = {
        question["id"]: [answer["text"] for answer in question["answers"]]
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    longest = {
        question: max(answers, key=len, default="") for question, answers in references.items()
    }
    shifted = dict(zip(references, [*list(longest.values())[1:], "x"], strict=True))

    right, wrong = squad2(references, longest), squad2(references, shifted)

    assert right["exact"] == right["f1"] == right["HasAns_f1"] == right["NoAns_f1"] == 100
    assert right["HasAns_total"] == 2910
    assert wrong == pytest.approx(
        official_2_averages(references, *official_2_raw(references, shifted))
    )


def _text(draw, pieces):
    return "".join(
        draw.choice(PIECES) + draw.choice(["", " "]) for _ in range(draw.randint(0, pieces))
    )


def _questions(draw, unanswerable):
    """Questions whose predictions share words with one of the references, or are one of them."""
    references, predictions = {}, {}
    for number in range(draw.randint(1, 12)):
        answers = [_text(draw, 5) for _ in range(draw.randint(1, 4))]
        words = draw.choice(answers).split(" ")
        draw.shuffle(words)
        said = [draw.choice(answers), " ".join(words), " ".join(words[1:]), _text(draw, 5), ""]
        predictions[f"q{number}"] = draw.choice(said)
        references[f"q{number}"] = [] if draw.random() < unanswerable else answers
    return references, predictions
