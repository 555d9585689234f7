"""Questions as sequences: transformers for the same pair of texts, and fairseq's own order of cuts.

fairseq's way is written here from its tasks/sentence_ranking.py and commonsense_qa_task.py: ids of
each text with `</s>`, `<s>` before the option, `</s>` before the passage, the option cut to 128,
all of it to 512. A cut there can take a `</s>` away, which here stays in its last place.
"""

import functools
import random

import pytest
from transformers import BertTokenizer, RobertaTokenizer

from unmask.finetune.choice import commonsense, dream, race, sequences
from unmask.finetune.choice.example import Question
from unmask.finetune.choice.forms import COMMONSENSE, CONTINUING, READING
from unmask.tokenizer import imports

BOS, EOS = 0, 2
NASTY = [
    "<mask> </s>",
    "é猫 ",
    "a_b",
    "x" * 400,
    "\u3000漢字\n混排",
    "Q: A: _ __",
    "👩‍👩‍👧 ok",
    "don't",
]


@functools.cache
def tokenizers(shared_data, family):
    if family == "bert":
        folder = shared_data / "wordpiece/bert-base-chinese"
        ours = imports.read(imports.find(folder), lowercase=True)
        return ours, BertTokenizer(vocab=str(folder / "vocab.txt"), do_lower_case=True)
    folder = shared_data / "bpe/roberta"
    names = {"vocab": str(folder / "vocab.json"), "merges": str(folder / "merges.txt")}
    return imports.read(imports.find(folder)), RobertaTokenizer(**names)


@functools.cache
def questions(shared_data):
    """Some of every kind, and made ones of every length."""
    dice = random.Random(1)
    real = [
        *dice.sample(race.read(shared_data / "race", "dev"), 60),
        *dice.sample(dream.read(dream.find(shared_data / "dream", "dev")), 40),
    ]
    made = [
        Question(
            id=str(number),
            passage=" ".join(dice.choices(NASTY, k=dice.randint(1, 90))),
            question=" ".join(dice.choices(NASTY, k=dice.randint(1, 8))),
            options=tuple(" ".join(dice.choices(NASTY, k=dice.randint(1, 9))) for _ in range(3)),
            gold=None,
            place="made",
        )
        for number in range(80)
    ]
    return real + made


def ours(tokenizer, question, form, **lengths):
    laid = sequences.encode([question], tokenizer, form, **lengths).sequences
    bounds = zip(laid.starts_N1[:-1], laid.starts_N1[1:], strict=True)
    return [(laid.ids_T[a:b].tolist(), laid.types_T[a:b].tolist()) for a, b in bounds]


@pytest.mark.parametrize("family", ["roberta", "bert"])
@pytest.mark.parametrize(("form", "cut"), [(READING, "only_second"), (CONTINUING, "only_first")])
def test_the_cut_pair_is_that_of_transformers(shared_data, family, form, cut):
    tokenizer, reference = tokenizers(shared_data, family)
    compared = 0
    for question in questions(shared_data):
        pairs = [form.texts(question, option) for option in question.options]
        texts = [[text.replace("\n", " ").strip() for text in pair] for pair in pairs]
        short = [pair[1 - form.long] for pair in texts]
        if max(map(len, tokenizer.encode_lines(short))) > 120:
            continue
        found = ours(tokenizer, question, form, max_length=160)
        for (ids, types), pair in zip(found, texts, strict=True):
            expected = reference(
                *pair,
                truncation=cut,
                max_length=160,
                split_special_tokens=True,
                return_token_type_ids=True,
            )
            assert ids == expected["input_ids"]
            assert types == expected["token_type_ids"]
            compared += 1
    assert compared > 300


def test_race_is_cut_where_fairseq_cuts_it(shared_data):
    tokenizer, reference = tokenizers(shared_data, "roberta")
    encode = functools.partial(
        reference.encode, add_special_tokens=False, split_special_tokens=True
    )
    cuts = set()
    for question in questions(shared_data):
        found = ours(tokenizer, question, READING, max_length=512, option_length=128)
        for (ids, _), option in zip(found, question.options, strict=True):
            asked = question.question
            while "__" in asked:  # a blank of several, in DREAM only, counts as one
                asked = asked.replace("__", "_")
            asked = asked.replace("_", option) if "_" in asked else f"{asked} {option}"
            asked_ids = encode(asked.replace("\n", " ").strip())
            passage_ids = encode(question.passage.replace("\n", " ").strip())
            first = [BOS, *asked_ids, EOS][:128]
            sequence = [*first, EOS, *passage_ids, EOS][:512]
            cut = len(asked_ids) > 126, len(first) + len(passage_ids) + 2 > 512
            sequence[len(first) - 1] = sequence[-1] = EOS
            assert ids == sequence
            cuts.add(cut)
    assert cuts == {(False, False), (True, False), (False, True), (True, True)}


def test_commonsense_questions_are_written_as_fairseq_writes_them(shared_data):
    tokenizer, reference = tokenizers(shared_data, "roberta")
    for question in commonsense.read(commonsense.find(shared_data / "commonsenseqa", "dev"))[:200]:
        found = ours(tokenizer, question, COMMONSENSE, max_length=512)
        for (ids, _), option in zip(found, question.options, strict=True):
            asked = reference.encode(f"Q: {question.question}".strip(), add_special_tokens=False)
            answered = reference.encode(f"A: {option}".strip(), add_special_tokens=False)
            assert ids == [BOS, *asked, EOS, *answered, EOS]
