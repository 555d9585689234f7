import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.squad import score
from unmask.finetune.squad.answers import Answer, Search, Span, answer
from unmask.finetune.squad.read import Question, Reference
from unmask.finetune.squad.spans import targets
from unmask.finetune.squad.windows import Sizes, cut
from unmask.tokenizer.build import word_piece

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "a", "b", "c", "d"]
BERT = word_piece({piece: id_ for id_, piece in enumerate(PIECES)}, lowercase=True)


def given(id_, text, null_odds):
    return Answer(id_, (Span(text, 0, 1, 0.0, 0.0),), Span("", 0, 0, null_odds, 0.0))


def asked(id_, *texts):
    return Question(id_, "who", "b c d", tuple(Reference(text, 0) for text in texts), "here")


QUESTIONS = [asked("1", "b"), asked("2", "c", "d"), asked("3"), asked("4", "b")]
ANSWERS = [given("1", "b", -3), given("2", "d", -1), given("3", "c", 2), given("4", "c", 1)]


def test_scores_divide_by_questions_and_not_by_windows():
    context = "a b c d " * 20
    questions = [
        Question(str(n), "who", context, (Reference("b c", start),), "here")
        for n, start in enumerate((2, 66, 146))
    ]
    windows = cut(questions, BERT, Sizes(length=20, stride=6, question=1))
    assert len(windows) > 3 * len(questions)
    logits_T2 = np.full((len(windows.token_T), 2), -5, np.float32)
    for window, (first, last) in enumerate(targets(questions, windows).tolist()):
        if first:
            start = windows.sequences.starts_N1[window]
            logits_T2[start + first, 0] = logits_T2[start + last, 1] = 5

    scores = score.scores_1(questions, answer(questions, windows, logits_T2, Search()))

    assert scores == {"exact_match": 100, "f1": 100, "total": 3}


def test_any_reference_counts():
    scores = score.scores_1([QUESTIONS[1]], [ANSWERS[1]])

    assert scores["exact_match"] == 100


def test_squad_1_refuses_impossible_questions():
    with pytest.raises(UserError, match="1 of 4 questions have no reference answer"):
        score.scores_1(QUESTIONS, ANSWERS)


def test_squad_2_scores_what_the_threshold_lets_through():
    assert score.scores_2(QUESTIONS, ANSWERS, 1.0)["exact"] == 75
    assert score.scores_2(QUESTIONS, ANSWERS, 2.0)["exact"] == 50
    assert score.scores_2(QUESTIONS, ANSWERS, -2.0)["exact"] == 50
    assert score.scores_2(QUESTIONS, ANSWERS, -2.0)["NoAns_exact"] == 100


def test_the_best_threshold_gives_the_best_score_when_it_is_applied():
    threshold = score.best_na_threshold(QUESTIONS, ANSWERS)
    scores = score.scores_2(QUESTIONS, ANSWERS, threshold)

    assert scores["f1"] == scores["best_f1"] == 75
    texts = [one.best_or_none(threshold) for one in ANSWERS]
    assert texts[:3] == ["b", "d", ""]
