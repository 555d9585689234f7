import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.finetune.squad.answers import Answer, Search, Span, answer, shares
from unmask.finetune.squad.read import Question, Reference
from unmask.finetune.squad.spans import targets
from unmask.finetune.squad.windows import Sizes, cut
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.train import train

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "a", "b", "c", "d", "##s", "."]
BPE = train(["who sat on the mat", "naïve 猫 the cat"] * 3, 270)
BERT = word_piece({piece: id_ for id_, piece in enumerate(PIECES)}, lowercase=True)
TOKENIZERS = pytest.mark.parametrize("tokenizer", [BPE, BERT], ids=["bpe", "bert"])
SMALL = Sizes(length=10, stride=2, question=1)


def ask(context, id_="a"):
    return Question(id_, "who", context, (), "here")


def flat(windows):
    return np.full((len(windows.token_T), 2), -5.0, np.float32)


def places(windows, token):
    """Where a token of the context stands in every window."""
    return np.flatnonzero(windows.token_T == token)


def by_hand(question, windows, logits_T2, search):
    """Every span of every window, one after the other."""
    documents, starts = windows.documents, windows.sequences.starts_N1
    found = []
    for window in range(len(windows)):
        for start in range(starts[window], starts[window + 1]):
            for end in range(start, min(starts[window + 1], start + search.tokens)):
                first, last = windows.token_T[start], windows.token_T[end]
                if min(first, last) < 0:
                    continue
                begin, stop = documents.begin_T[first], documents.end_T[last]
                if begin == documents.end_T[first] or stop == documents.begin_T[last]:
                    continue
                score = float(logits_T2[start, 0]) + float(logits_T2[end, 1])
                found.append((score, question.context[begin:stop], begin, stop))
    found.sort(key=lambda one: -one[0])
    texts = {}
    for score, text, begin, stop in found[: search.candidates]:
        texts.setdefault(text, (score, text, begin, stop))
    return list(texts.values())


@TOKENIZERS
@settings(max_examples=150, deadline=None)
@given(
    context=st.text(st.sampled_from("abc 猫\n"), min_size=1, max_size=30),
    seed=st.integers(0, 2**32),
    levels=st.sampled_from([3, 10_000]),
    tokens=st.integers(1, 5),
    candidates=st.sampled_from([1, 5, 20, 10_000]),
)
def test_the_best_spans_are_those_of_looking_at_every_one(
    tokenizer, context, seed, levels, tokens, candidates
):
    question = ask(f"a{context}")
    windows = cut([question], tokenizer, SMALL)
    levels_T2 = np.random.default_rng(seed).integers(-levels, levels, (len(windows.token_T), 2))
    search = Search(candidates=candidates, tokens=tokens)

    (found,) = answer([question], windows, levels_T2.astype(np.float32), search)

    expected = by_hand(question, windows, levels_T2, search)
    assert [(s.score, s.text, s.begin, s.end) for s in found.spans] == expected
    assert len({span.text for span in found.spans}) == len(found.spans)


def test_each_question_is_answered_from_its_own_windows():
    questions = [ask("a b c d " * n, str(n)) for n in (1, 5, 2)]
    windows = cut(questions, BERT, SMALL)
    logits_T2 = np.random.default_rng(0).normal(size=flat(windows).shape).astype(np.float32)
    together = answer(questions, windows, logits_T2, Search())

    starts = windows.sequences.starts_N1
    for number, question in enumerate(questions):
        mine = np.flatnonzero(windows.question_W == number)
        here = slice(starts[mine[0]], starts[mine[-1] + 1])
        alone = answer([question], cut([question], BERT, SMALL), logits_T2[here], Search())
        assert alone == [together[number]]


def test_question_and_special_tokens_are_no_answer_however_high_their_logits():
    windows = cut([ask("a b")], BERT, Sizes())
    logits_T2 = np.where(windows.token_T[:, None] < 0, 99, flat(windows)).astype(np.float32)
    logits_T2[places(windows, 1)] = -4

    (found,) = answer([ask("a b")], windows, logits_T2, Search())

    assert found.best == "b"
    assert {span.text for span in found.spans} == {"a", "b", "a b"}


def test_an_answer_never_ends_before_it_begins():
    question = ask("a b c")
    windows = cut([question], BERT, Sizes())
    logits_T2 = flat(windows)
    logits_T2[places(windows, 2), 0] = logits_T2[places(windows, 0), 1] = 9

    (found,) = answer([question], windows, logits_T2, Search())

    assert "" not in {span.text for span in found.spans}
    assert all(span.begin < span.end for span in found.spans)


def test_an_answer_has_as_many_tokens_as_allowed_and_no_more():
    question = ask("a b " * 20)
    windows = cut([question], BERT, Sizes())
    for last, whole in ((29, True), (30, False)):
        logits_T2 = flat(windows)
        logits_T2[places(windows, 0), 0] = logits_T2[places(windows, last), 1] = 9
        (found,) = answer([question], windows, logits_T2, Search())
        assert (found.spans[0].score == 18) is whole


def test_an_answer_lies_in_one_window():
    question = ask("a b c d a b c d")
    windows = cut([question], BERT, Sizes(length=10, stride=0, question=1))
    starts = windows.sequences.starts_N1
    assert windows.last_W.tolist() == [9, 5]
    logits_T2 = flat(windows)
    logits_T2[starts[0] + 8, 0] = logits_T2[starts[1] + 3, 1] = 9

    (found,) = answer([question], windows, logits_T2, Search())

    assert found.spans[0].score == 9 - 5


def test_the_best_window_counts_and_not_a_mean_over_them():
    question = ask("a b c d " * 10)
    windows = cut([question], BERT, SMALL)
    assert len(windows) > 5
    logits_T2 = flat(windows)
    logits_T2[places(windows, 39)[0]] = 7

    (found,) = answer([question], windows, logits_T2, Search())

    assert (found.best, found.spans[0].begin, found.spans[0].score) == ("d", 78, 14)


def test_negative_logits_are_answers_too():
    question = ask("a b c")
    windows = cut([question], BERT, Sizes())
    logits_T2 = flat(windows) - 90
    logits_T2[places(windows, 1)] = -50

    assert answer([question], windows, logits_T2, Search())[0].best == "b"


@pytest.mark.parametrize(
    "text", ["Bs  ##s C.", "a  b", "B\u0301s", "ＢＳ", "a\u00a0b", "the##mat", "naïve 猫"]
)
@TOKENIZERS
def test_the_text_is_the_very_characters_of_the_context(tokenizer, text):
    context = f"a {text} d"
    question = Question("a", "who", context, (Reference(text, 2),), "here")
    windows = cut([question], tokenizer, Sizes())
    ((first, last),) = targets([question], windows).tolist()
    logits_T2 = flat(windows)
    logits_T2[first, 0] = logits_T2[last, 1] = 5

    assert answer([question], windows, logits_T2, Search())[0].best == text


def test_one_text_found_in_two_places_stands_once_with_the_better_score():
    question = ask("a b a")
    windows = cut([question], BERT, Sizes())
    logits_T2 = flat(windows)
    logits_T2[places(windows, 0)] = 3
    logits_T2[places(windows, 2)] = 4

    (found,) = answer([question], windows, logits_T2, Search(tokens=1))

    assert [(span.text, span.begin, span.score) for span in found.spans] == [
        ("a", 4, 8),
        ("b", 2, -10),
    ]


def test_no_answer_scores_what_it_has_in_the_window_where_that_is_least():
    question = ask("a b c d " * 5)
    windows = cut([question], BERT, SMALL)
    logits_T2 = flat(windows)
    logits_T2[windows.sequences.starts_N1[:-1]] = [[9 - w, 1] for w in range(len(windows))]
    logits_T2[places(windows, 3)] = 2

    (found,) = answer([question], windows, logits_T2, Search())

    assert found.none == Span("", 0, 0, 9 - (len(windows) - 1), 1)
    assert found.null_odds == found.none.score - 4


def test_no_answer_is_given_above_the_threshold_and_not_at_it():
    found = Answer("a", (Span("x", 0, 1, 1.0, 2.0),), Span("", 0, 0, 2.0, 2.0))

    assert found.null_odds == 1
    assert [found.best_or_none(threshold) for threshold in (0.5, 1.0)] == ["", "x"]
    assert found.best == "x"
    assert [span.text for span in found.spans_or_none] == ["", "x"]


def test_a_context_without_tokens_has_no_answer():
    question = ask("\x07\x08")
    windows = cut([question], BERT, Sizes())
    logits_T2 = flat(windows)

    (found,) = answer([question], windows, logits_T2, Search())

    assert (found.spans, found.best, found.best_or_none(99)) == ((), "", "")
    assert found.null_odds == -10


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_logits_that_are_no_numbers_are_refused(bad):
    question = ask("a b")
    windows = cut([question], BERT, Sizes())
    logits_T2 = flat(windows)
    logits_T2[4, 1] = bad

    with pytest.raises(UserError, match="no finite logits for 1 of 6 tokens"):
        answer([question], windows, logits_T2, Search())


def test_shares_are_a_softmax_of_the_scores():
    spans = [Span("x", 0, 1, 500.0, 300.0), Span("y", 0, 1, 500.0, 299.0)]

    assert shares(spans) == pytest.approx([math.e / (1 + math.e), 1 / (1 + math.e)])
    assert shares([]) == []
