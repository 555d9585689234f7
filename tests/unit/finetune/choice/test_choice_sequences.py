import random

import pytest

from unmask.core.errors import UserError
from unmask.finetune.choice import sequences
from unmask.finetune.choice.example import Question
from unmask.finetune.choice.forms import COMMONSENSE, CONTINUING, READING
from unmask.tokenizer import build
from unmask.tokenizer.family import BERT
from unmask.tokenizer.train import train

WORDS = [
    *["the", "cat", "sat", "on", "a", "mat", "and", "it", "was", "not", "he", "is", "tall"],
    *"Q:A?漢字",
]
BPE = train([" ".join(WORDS), "<s> </s> cat"] * 3, 300)
PIECES = build.word_piece(
    {
        token: id_
        for id_, token in enumerate([*BERT.specials, *WORDS, "q", "_", "<", "/", "s", ">"])
    },
    lowercase=True,
)
BOTH = pytest.mark.parametrize("tokenizer", [BPE, PIECES], ids=["roberta", "bert"])


def ask(question, *options, passage=""):
    return Question(
        id="1", passage=passage, question=question, options=options, gold=0, place="row 1"
    )


def rows(choices):
    laid = choices.sequences
    bounds = list(zip(laid.starts_N1[:-1], laid.starts_N1[1:], strict=True))
    return [(laid.ids_T[a:b].tolist(), laid.types_T[a:b].tolist()) for a, b in bounds]


def written(tokenizer, ids):
    return tokenizer.decode(ids, skip_special_tokens=False)


def one(tokenizer, form, question, **lengths):
    lengths = {"max_length": 512} | lengths
    return rows(sequences.encode([question], tokenizer, form, **lengths))[0][0]


def test_each_form_is_written_as_its_source_has_it():
    read = ask("he is", "tall", "not", passage="\nthe cat\nsat ")
    filled = ask("he is _ ?", "tall", "not", passage="the cat")
    glued = ask("he is____", r"\1 tall", "not", passage="the cat")

    assert written(BPE, one(BPE, READING, read)) == "<s>he is tall</s></s>the cat sat</s>"
    assert written(BPE, one(BPE, READING, filled)) == "<s>he is tall ?</s></s>the cat</s>"
    assert written(BPE, one(BPE, READING, glued)) == r"<s>he is\1 tall</s></s>the cat</s>"
    assert written(BPE, one(BPE, COMMONSENSE, read)) == "<s>Q: he is</s>A: tall</s>"
    assert written(BPE, one(BPE, CONTINUING, filled)) == "<s>he is _ ?</s></s>tall</s>"


@pytest.mark.parametrize("form", [READING, COMMONSENSE, CONTINUING])
def test_berts_pair_has_one_separator_and_types(form):
    question = ask("he is", "tall", "not", passage="the cat")

    ((ids, types), _) = rows(sequences.encode([question], PIECES, form, max_length=64))

    first, second, _ = written(PIECES, ids).removeprefix("[CLS]").split("[SEP]")
    assert ids.count(PIECES.eos_id) == 2
    assert types == [0] * (len(first.split()) + 2) + [1] * (len(second.split()) + 1)


def test_the_sequences_of_a_question_follow_each_other_in_the_order_of_its_options():
    questions = [ask("he is", "tall", "not"), ask("the cat", "sat", "was")]

    choices = sequences.encode(questions, BPE, CONTINUING, max_length=64)

    assert choices.options == 2
    assert [written(BPE, ids) for ids, _ in rows(choices)] == [
        "<s>he is</s></s>tall</s>",
        "<s>he is</s></s>not</s>",
        "<s>the cat</s></s>sat</s>",
        "<s>the cat</s></s>was</s>",
    ]


def test_special_tokens_written_out_in_a_text_are_plain_characters():
    ids = one(BPE, READING, ask("</s> <s>", "<mask>", "x", passage="<pad> </s>"))

    assert ids.count(BPE.eos_id) == 3
    assert not {BPE.mask_id, BPE.pad_id} & set(ids)
    assert ids.count(BPE.bos_id) == 1


@BOTH
@pytest.mark.parametrize("form", [READING, COMMONSENSE, CONTINUING])
def test_whatever_the_lengths_every_sequence_is_whole_in_form_and_nothing_is_lost_in_silence(
    tokenizer, form, capsys
):
    dice = random.Random(0)
    separators = form.separators if tokenizer.family == "roberta" else 1
    said = 0
    for _ in range(100):
        max_length, option_length = dice.randint(separators + 4, 40), dice.randint(3, 40)
        texts = [" ".join(dice.choices(WORDS, k=dice.randint(1, 30))) for _ in range(4)]
        question = ask(*texts[:3], passage=texts[3])

        choices = sequences.encode(
            [question], tokenizer, form, max_length=max_length, option_length=option_length
        )

        cut = [0, 0]
        for (ids, types), option in zip(rows(choices), question.options, strict=True):
            first, second = map(
                tokenizer.encode_lines, ([text] for text in form.texts(question, option))
            )
            whole = [first[0], second[0]]
            assert len(ids) == len(types) <= max_length
            head = ids.index(tokenizer.eos_id)
            parts = [ids[1:head], ids[head + separators : -1]]
            middle = [tokenizer.eos_id] * separators
            assert ids == [tokenizer.bos_id, *parts[0], *middle, *parts[1], tokenizer.eos_id]
            for part, full in zip(parts, whole, strict=True):
                assert part == full[: len(part)]
            short, full = parts[1 - form.long], whole[1 - form.long]
            room = max_length - 2 - separators
            assert len(short) == min(len(full), option_length - 2, room)
            long, full_long = parts[form.long], whole[form.long]
            assert len(long) == min(len(full_long), room - len(short))
            cut[0] += len(long) < len(full_long)
            cut[1] += len(short) < len(full)
        assert [choices.long_cut, choices.short_cut] == cut
        spoken = capsys.readouterr().err.splitlines()
        assert len(spoken) == sum(count > 0 for count in cut)
        assert all(
            line.startswith(f"{count} of 2")
            for line, count in zip(spoken, filter(None, cut), strict=True)
        )
        said += len(spoken)
    assert said > 50


def test_questions_of_different_numbers_of_options_are_refused():
    with pytest.raises(UserError, match="3 options where row 1 has 2"):
        sequences.encode(
            [ask("x", "a", "b"), ask("x", "a", "b", "c")], BPE, CONTINUING, max_length=64
        )


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ({"max_length": 5}, "max_length 5: holds the 4 special tokens and no texts"),
        ({"max_length": 9, "option_length": 2}, "option_length 2: two of these are special"),
    ],
)
def test_lengths_that_hold_no_text_are_refused(lengths, said):
    with pytest.raises(UserError) as caught:
        sequences.encode([ask("x", "a", "b", passage="y")], BPE, READING, **lengths)

    assert said in caught.value.what
