"""Scores of SQuAD 1.1 and 2.0, in percent, by the rules of the two official scripts.

A text is lower-cased, loses ASCII punctuation and the words a, an and the, and is compared by what
is left: "exact" as a whole, F1 as a bag of words. Of several reference answers the best one counts.
A question without prediction counts as wrong, which is said.

Legend: N questions, in the order of the references.
"""

import dataclasses
import re
import string
from collections import Counter

import numpy as np
import numpy.typing as npt

from unmask.finetune.metrics.answers import Graded, Predictions, References, grade

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def squad1(references: References, predictions: Predictions) -> dict[str, float]:
    """Score SQuAD 1.1: "exact_match", "f1" and "total", the number of questions.

    Raises:
        UserError: for no question, and for one without a reference answer.
    """
    graded = grade1(references, predictions)
    return {
        "exact_match": 100 * float(graded.exact_N.mean()),
        "f1": 100 * float(graded.f1_N.mean()),
        "total": len(references),
    }


def squad2(references: References, predictions: Predictions) -> dict[str, float]:
    """Score SQuAD 2.0, where an empty prediction says that there is no answer.

    The names are those of the official script: "exact", "f1" and "total", and with "HasAns_" and
    "NoAns_" before them those of the questions with and without an answer, where there are any.
    """
    return breakdown(grade2(references, predictions))


def grade1(references: References, predictions: Predictions) -> Graded:
    """Grade each question of SQuAD 1.1."""
    return grade(references, predictions, exact, f1)


def grade2(references: References, predictions: Predictions) -> Graded:
    """Grade each question of SQuAD 2.0; a reference answer of which nothing is left is none."""
    meant = {
        question: [answer for answer in answers if normalise(answer)] or [""]
        for question, answers in references.items()
    }
    graded = grade(meant, predictions, exact, f1_or_agreement)
    answerable_N = np.fromiter(map(bool, references.values()), np.bool_)
    return dataclasses.replace(graded, answerable_N=answerable_N)


def breakdown(graded: Graded) -> dict[str, float]:
    """Average over all questions, those with an answer and those without."""
    scores = _means(graded, np.full(len(graded.exact_N), fill_value=True), "")
    for prefix, chosen_N in (("HasAns_", graded.answerable_N), ("NoAns_", ~graded.answerable_N)):
        if chosen_N.any():
            scores |= _means(graded, chosen_N, prefix)
    return scores


def normalise(text: str) -> str:
    """Keep of a text what is compared: its words in lower case, one space between them."""
    text = text.lower().translate(WITHOUT_PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", text).split())


def exact(prediction: str, reference: str) -> float:
    """Score 1 if the same words stand in both, in the same order."""
    return float(normalise(prediction) == normalise(reference))


def f1(prediction: str, reference: str) -> float:
    """F1 of the words of the prediction, each counted as often as it occurs."""
    said, there = normalise(prediction).split(), normalise(reference).split()
    shared = (Counter(said) & Counter(there)).total()
    return 2 * shared / (len(said) + len(there)) if shared else 0.0


def f1_or_agreement(prediction: str, reference: str) -> float:
    """F1 where both have words; otherwise 1 if neither has any (SQuAD 2.0)."""
    if normalise(prediction) and normalise(reference):
        return f1(prediction, reference)
    return exact(prediction, reference)


def _means(graded: Graded, chosen_N: npt.NDArray[np.bool_], prefix: str) -> dict[str, float]:
    return {
        f"{prefix}exact": 100 * float(graded.exact_N[chosen_N].mean()),
        f"{prefix}f1": 100 * float(graded.f1_N[chosen_N].mean()),
        f"{prefix}total": int(chosen_N.sum()),
    }
