import random

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.infer.language.fill import fill
from unmask.infer.language.masks import find
from unmask.infer.language.splicing import spliced
from unmask.infer.language.together import fill_together

WORDS = ["cat", "dog", "fish", "mat"]


def texts_of(tiny, count=24, seed=0):
    dice = random.Random(seed)
    texts = []
    for _ in range(count):
        words = [
            dice.choice(["the", "cat", "Paris", "big", "北京"]) for _ in range(dice.randint(0, 7))
        ]
        for _ in range(dice.randint(1, 3)):
            words.insert(dice.randint(0, len(words)), tiny.mask)
        texts.append(" ".join(words))
    return texts


def numbers(answers):
    return [
        {(place, item.id): item.probability for place, mask in enumerate(a.masks) for item in mask}
        for a in answers
    ]


def test_alone_together_and_in_any_order_the_answers_are_the_same(tiny):
    texts = texts_of(tiny)
    together = fill(tiny.lm, texts)
    reversed_ = fill(tiny.lm, texts[::-1])[::-1]

    for number, text in enumerate(texts):
        alone = fill(tiny.lm, [text])
        assert together[number].text == text
        for other in (alone[0], reversed_[number]):
            assert numbers([other])[0] == pytest.approx(numbers([together[number]])[0], abs=1e-6)
            assert other.filled == together[number].filled


def test_each_mask_is_answered_with_the_others_still_masks(tiny):
    answer = fill(tiny.lm, [f"the {tiny.mask} sat on {tiny.mask}"], top_k=7)[0]

    assert [len(mask) for mask in answer.masks] == [7, 7]
    for mask in answer.masks:
        chances = [item.probability for item in mask]
        assert chances == sorted(chances, reverse=True)
        assert 0 < sum(chances) < 1


def test_no_id_is_proposed_that_no_token_has(tiny):
    answer = fill(tiny.lm, [tiny.mask], top_k=10_000)[0]

    found = sorted(item.id for item in answer.masks[0])
    assert found == list(range(tiny.tokenizer.vocabulary))
    assert tiny.model.config.vocabulary > tiny.tokenizer.vocabulary


def test_targets_are_the_only_candidates_and_keep_their_probabilities(tiny):
    text = f"the {tiny.mask} sat on {tiny.mask} mat"
    everything = numbers(fill(tiny.lm, [text], top_k=10_000))[0]

    answer = fill(tiny.lm, [text], top_k=3, targets=WORDS)

    assert [len(mask) for mask in answer[0].masks] == [3, 3]
    assert {item.token.strip() for mask in answer[0].masks for item in mask} <= set(WORDS)
    for key, chance in numbers(answer)[0].items():
        assert chance == pytest.approx(everything[key], abs=1e-7)


def test_a_target_is_the_token_that_the_text_would_have_there(tiny):
    if tiny.family == "bert":
        pytest.skip("WordPiece knows no spaces")
    mask = tiny.mask
    answers = fill(tiny.lm, [f"{mask} on", f"a {mask}", f"a{mask}"], targets=["a", " t"])

    assert [sorted(item.token for item in answer.masks[0]) for answer in answers] == [
        [" t", "a"],
        [" a", " t"],
        [" t", "a"],
    ]


def test_together_each_mask_has_the_targets_that_fit_its_place(tiny):
    if tiny.family == "bert":
        pytest.skip("WordPiece knows no spaces")
    text = f"a {tiny.mask}{tiny.mask}"
    fillings = fill_together(tiny.lm, [text], targets=["a", " t"], top_k=9)[0]

    tokens = {filling.tokens for filling in fillings}
    assert tokens == {(first, second) for first in (" a", " t") for second in ("a", " t")}


def test_with_one_mask_together_is_as_each_alone(tiny):
    texts = [text for text in texts_of(tiny) if text.count(tiny.mask) == 1]
    alone, together = fill(tiny.lm, texts), fill_together(tiny.lm, texts)

    for one, other in zip(alone, together, strict=True):
        assert [item.id for item in one.masks[0]] == [filling.ids[0] for filling in other]
        assert [item.probability for item in one.masks[0]] == pytest.approx(
            np.exp([filling.log_probability for filling in other]), abs=1e-6
        )
        assert one.filled == other[0].text


def test_fillings_together_do_not_depend_on_the_other_texts(tiny):
    texts = texts_of(tiny, 8)
    together = fill_together(tiny.lm, texts, beam=4, top_k=2)

    for text, fillings in zip(texts, together, strict=True):
        alone = fill_together(tiny.lm, [text], beam=4, top_k=2)[0]
        assert [item.ids for item in alone] == [item.ids for item in fillings]
        assert [item.log_probability for item in alone] == pytest.approx(
            [item.log_probability for item in fillings], abs=1e-5
        )
        assert len(fillings) == 2
        assert all(len(item.tokens) == text.count(tiny.mask) for item in fillings)


def test_a_wider_beam_finds_nothing_worse(tiny):
    texts = [text for text in texts_of(tiny, 40) if text.count(tiny.mask) > 1]
    greedy = fill_together(tiny.lm, texts, top_k=1, beam=1)
    wide = fill_together(tiny.lm, texts, top_k=1, beam=30)

    better = [
        other[0].log_probability - one[0].log_probability
        for one, other in zip(greedy, wide, strict=True)
    ]
    assert min(better) > -1e-5
    assert max(better) > 0.01


def test_no_texts_get_no_answers(tiny):
    assert fill(tiny.lm, []) == []
    assert fill_together(tiny.lm, []) == []
    assert fill_together(tiny.lm, [], targets=["cat"]) == []


def test_all_but_the_masks_stays_as_it_was_written(tiny):
    text = f"  THE {tiny.mask}\tSat,\u00a0on {tiny.mask}é!\n"
    masked = find(tiny.tokenizer, [text], tiny.lm.max_length)[0]
    ids = [tiny.tokenizer.encode_lines([" cat"])[0][0], tiny.tokenizer.encode_lines(["a"])[0][0]]

    # RoBERTa's second answer begins without a space, and the space before a mask is the answer's.
    second = "a" if tiny.family == "roberta" else " a"
    assert spliced(tiny.tokenizer, masked, ids) == f"  THE cat\tSat,\u00a0on{second}é!\n"


def test_a_letter_of_several_tokens_is_put_together(tiny):
    if tiny.family == "bert":
        pytest.skip("a token of WordPiece has whole letters")
    masked = find(tiny.tokenizer, [f"x{tiny.mask}{tiny.mask} {tiny.mask}y"], 48)[0]
    ids = [tiny.tokenizer.encode_lines([letter])[0][-1] for letter in "abc"]
    bytes_ = tiny.tokenizer.encode_lines(["猫"])[0]

    assert spliced(tiny.tokenizer, masked, ids) == "xabcy"
    assert len(bytes_) == 3
    assert spliced(tiny.tokenizer, masked, bytes_) == "x猫y"


def test_a_piece_of_a_word_goes_to_the_word_before_it(tiny):
    if tiny.family == "roberta":
        pytest.skip("byte-level BPE has no ##")
    masked = find(tiny.tokenizer, ["Walk [MASK], un[MASK] [MASK]."], 48)[0]
    ids = [tiny.tokenizer.encode_lines([word])[0][-1] for word in ("walking", "cat", "cats")]

    assert spliced(tiny.tokenizer, masked, ids) == "Walking, uncats."


@pytest.mark.parametrize("filler", [fill, fill_together])
def test_what_cannot_be_filled_is_refused(tiny, filler):
    mask = tiny.mask
    with pytest.raises(UserError, match=r"text 2 \('nothing here'\): no .*mask.* in it|MASK") as no:
        filler(tiny.lm, [mask, "nothing here"])
    with pytest.raises(UserError, match=r"text 1 \('cat .*1 of its .* after the first 48 tok"):
        filler(tiny.lm, [f"cat {mask} " * 2 + "cat " * 60 + mask])
    with pytest.raises(UserError, match="no target words"):
        filler(tiny.lm, [mask], targets=[])
    with pytest.raises(UserError, match="target ' ': an empty word"):
        filler(tiny.lm, [f"a {mask}"], targets=["cat", " "])
    with pytest.raises(UserError, match=r"targets 'cat' and ' cat' are the same token '.?cat'"):
        filler(tiny.lm, [f"a {mask}"], targets=["cat", " cat"])

    assert mask in no.value.hint


def test_a_target_of_several_tokens_is_refused_with_its_pieces(tiny):
    pieces = {"roberta": r"'walking' after a space: \d tokens \(Ġ\w* \w+.*\)"}
    expected = pieces.get(tiny.family, r"'walking': 2 tokens \(walk ##ing\)")

    with pytest.raises(UserError, match=f"target {expected}, and a mask is one") as caught:
        fill(tiny.lm, [f"the {tiny.mask}"], targets=["cat", "walking"])

    assert f"as many {tiny.mask} as it has" in caught.value.hint


def test_a_target_that_the_vocabulary_does_not_know_is_refused(tiny):
    if tiny.family == "roberta":
        pytest.skip("byte-level BPE knows every word")
    with pytest.raises(UserError, match="target '猫': unknown to the vocabulary"):
        fill(tiny.lm, [tiny.mask], targets=["猫"])
