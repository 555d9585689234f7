"""Scores of CMRC 2018, in percent, by the rules of its official script.

A text is lower-cased and loses the punctuation below; what is left falls into segments: a Chinese
character each, and the words between them. F1 is of the longest run of segments that stands in
both, not of a bag of words. Of several reference answers the best one counts; a question without
prediction counts as wrong, which is said.
"""

import re
from difflib import SequenceMatcher

from unmask.finetune.metrics.answers import Graded, Predictions, References, grade
from unmask.finetune.metrics.treebank import words

PUNCTUATION = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"
"""The script lists "……" with them, which as two characters never equals one, so … stays."""
WITHOUT_PUNCTUATION = str.maketrans("", "", PUNCTUATION)
CHINESE = re.compile(r"([\u4e00-\u9fa5])")


def cmrc(references: References, predictions: Predictions) -> dict[str, float]:
    """Score CMRC 2018: "em", "f1", their mean "average", and "total", the number of questions.

    Raises:
        UserError: for no question, and for one without a reference answer.
    """
    graded = grade_cmrc(references, predictions)
    em, mean_f1 = 100 * float(graded.exact_N.mean()), 100 * float(graded.f1_N.mean())
    return {"em": em, "f1": mean_f1, "average": (em + mean_f1) / 2, "total": len(references)}


def grade_cmrc(references: References, predictions: Predictions) -> Graded:
    """Grade each question of CMRC 2018."""
    return grade(references, predictions, exact, f1)


def normalise(text: str) -> str:
    """Keep of a text what is compared."""
    return text.lower().strip().translate(WITHOUT_PUNCTUATION)


def segments(text: str) -> list[str]:
    """Cut a text into Chinese characters and the words between them."""
    pieces = CHINESE.split(normalise(text))
    return [segment for piece in pieces for segment in words(piece)]


def exact(prediction: str, reference: str) -> float:
    """Score 1 if both are the same text."""
    return float(normalise(prediction) == normalise(reference))


def f1(prediction: str, reference: str) -> float:
    """F1 of the longest run of segments that stands in both."""
    said, there = segments(prediction), segments(reference)
    shared = SequenceMatcher(None, said, there, autojunk=False).find_longest_match().size
    return 2 * shared / (len(said) + len(there)) if shared else 0.0
