import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.infer.language import perplexity
from unmask.infer.language.perplexity import corpus_perplexity, pseudo_likelihoods, window

TEXTS = ["the cat sat on the mat", "big", "", "the fish", "我爱北京", "the cat " * 40, "  "]


def test_alone_together_and_in_any_order_the_scores_are_the_same(tiny):
    together = pseudo_likelihoods(tiny.lm, TEXTS)
    reversed_ = pseudo_likelihoods(tiny.lm, TEXTS[::-1])[::-1]

    for number, text in enumerate(TEXTS):
        alone = pseudo_likelihoods(tiny.lm, [text])[0]
        for other in (alone, reversed_[number]):
            assert other.tokens == together[number].tokens
            assert other.log_probabilities == pytest.approx(
                together[number].log_probabilities, abs=1e-5
            )


def test_how_many_rows_are_laid_out_together_changes_nothing(tiny, monkeypatch):
    before = pseudo_likelihoods(tiny.lm, TEXTS)
    monkeypatch.setattr(perplexity, "ROWS_AT_ONCE", 3)

    for one, other in zip(before, pseudo_likelihoods(tiny.lm, TEXTS), strict=True):
        assert one.tokens == other.tokens
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-5)


def test_every_token_but_the_special_ones_is_scored_once(tiny, capsys):
    text = f"the cat {tiny.mask} sat"
    found = pseudo_likelihoods(tiny.lm, [text, ""])

    ids = tiny.tokenizer.encode([text])[0].ids
    expected = [tiny.tokenizer.token(id_) for id_ in ids if id_ not in tiny.tokenizer.special_ids]
    assert list(found[0].tokens) == expected
    assert all(score < 0 for score in found[0].log_probabilities)
    assert found[1].tokens == ()
    assert (found[1].total, found[1].perplexity) == (0, None)
    assert capsys.readouterr().err == ""


def test_unknown_tokens_are_left_out_and_said(tiny, capsys):
    if tiny.family == "roberta":
        pytest.skip("byte-level BPE knows every word")
    found = pseudo_likelihoods(tiny.lm, ["the 猫 sat 😀", "cat"])

    assert [item.tokens for item in found] == [("the", "sat"), ("cat",)]
    assert "2 of 5 tokens are [UNK] and not scored" in capsys.readouterr().err


def test_perplexity_is_the_exponential_of_the_mean(tiny):
    found = pseudo_likelihoods(tiny.lm, TEXTS)
    scores = [score for item in found for score in item.log_probabilities]

    assert found[0].total == pytest.approx(sum(found[0].log_probabilities))
    assert found[0].perplexity == pytest.approx(
        math.exp(-found[0].total / len(found[0].log_probabilities))
    )
    assert corpus_perplexity(found) == pytest.approx(math.exp(-sum(scores) / len(scores)))


def test_a_corpus_without_a_token_has_no_perplexity(tiny):
    with pytest.raises(UserError, match="2 texts without a token to score"):
        corpus_perplexity(pseudo_likelihoods(tiny.lm, ["", ""]))


@given(st.integers(1, 300), st.integers(1, 50), st.data())
def test_a_window_is_as_wide_as_can_be_and_centred_as_far_as_can_be(length, size, data):
    place = data.draw(st.integers(0, length - 1))

    start, stop = window(place, length, size)

    assert 0 <= start <= place < stop <= length
    assert stop - start == min(size, length)
    if start > 0 and stop < length:
        assert abs((place - start) - (stop - 1 - place)) <= 1
