import pytest

from unmask.core.errors import UserError
from unmask.infer.language.choose import Choice, Question, choose, choose_by_text
from unmask.infer.language.perplexity import pseudo_likelihoods

QUESTIONS = [
    Question("the ", " sat on the mat", ("cat", "big dog", "我爱")),
    Question("", " is big", ("Paris", "the trophy")),
    Question("Paris is ", "", ("the capital of France", "a fish", "a b c d e")),
    Question("The trophy does not fit because ", ".", ("the case is big", "it")),
]


@pytest.mark.parametrize("chooser", [choose, choose_by_text])
def test_alone_together_and_in_any_order_the_scores_are_the_same(tiny, chooser):
    together = chooser(tiny.lm, QUESTIONS)
    reversed_ = chooser(tiny.lm, QUESTIONS[::-1])[::-1]

    for number, question in enumerate(QUESTIONS):
        alone = chooser(tiny.lm, [question])[0]
        for other in (alone, reversed_[number]):
            assert other.options == question.options
            assert other.scores == pytest.approx(together[number].scores, abs=1e-5)


def test_the_order_of_the_options_changes_nothing_but_the_order(tiny):
    turned = Question("the ", " sat on the mat", ("我爱", "big dog", "cat"))
    one, other = choose(tiny.lm, [QUESTIONS[0], turned])

    assert other.scores == pytest.approx(one.scores[::-1], abs=1e-5)
    assert one.best == other.best


def test_by_text_scores_are_the_likelihoods_of_whole_texts(tiny):
    found = choose_by_text(tiny.lm, QUESTIONS[:1])[0]
    texts = ["the cat sat on the mat", "the big dog sat on the mat", "the 我爱 sat on the mat"]

    expected = [item.total for item in pseudo_likelihoods(tiny.lm, texts)]
    assert found.scores == pytest.approx(expected, abs=1e-5)


def test_the_first_of_equals_is_the_best():
    choice = Choice(("a", "b", "c"), (-2.0, -1.0, -1.0))

    assert (choice.number, choice.best) == (1, "b")


def test_a_gap_is_found_once():
    assert Question.parse("a _ b", ["x", "y"]) == Question("a ", " b", ("x", "y"))
    assert Question.parse("a ... b", ["x"], "...") == Question("a ", " b", ("x",))
    with pytest.raises(UserError, match=r"text 'a b': 0 gaps, and there should be one"):
        Question.parse("a b", ["x"])
    with pytest.raises(UserError, match=r"text '_ a _': 2 gaps"):
        Question.parse("_ a _", ["x"])
    with pytest.raises(UserError, match=r"text 'a _': no options"):
        Question.parse("a _", [])


def test_an_option_that_is_no_token_is_refused(tiny):
    with pytest.raises(UserError, match="text 'the  cat': '' in it is no token"):
        choose(tiny.lm, [Question("the ", " cat", ("",))])


def test_a_text_longer_than_the_model_is_refused(tiny):
    with pytest.raises(
        UserError, match=r"text 'the the .*\.\.\.': \d+ tokens, and the model reads"
    ):
        choose(tiny.lm, [Question("the " * 60, "", ("cat", "dog"))])


def test_options_that_the_vocabulary_does_not_know_are_said(tiny, capsys):
    if tiny.family == "roberta":
        pytest.skip("byte-level BPE knows every word")
    choose(tiny.lm, [Question("the ", "", ("cat", "猫"))])

    assert "1 candidates are scored as [UNK]" in capsys.readouterr().err
