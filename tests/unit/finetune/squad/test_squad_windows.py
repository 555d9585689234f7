from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.finetune.squad.read import Question
from unmask.finetune.squad.windows import Sizes, cut
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

BPE = train(["the cat sat on the mat", "who sat"] * 3, 270)
BERT = word_piece(
    {
        token: id_
        for id_, token in enumerate(
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "sat", "the", "cat", "on", "mat"]
        )
    },
    lowercase=True,
)
TOKENIZERS = pytest.mark.parametrize("tokenizer", [BPE, BERT], ids=["bpe", "bert"])


def ask(question, context, id_="a"):
    return Question(id_, question, context, (), "here")


def rows(windows):
    starts = windows.sequences.starts_N1[1:-1]
    return [
        [part.tolist() for part in np.split(array, starts)]
        for array in (windows.sequences.ids_T, windows.sequences.types_T, windows.token_T)
    ]


def test_roberta_reads_two_separators_and_the_context_as_one_text():
    windows = cut([ask("who sat", "the cat sat")], BPE, Sizes())
    ids, types, _ = rows(windows)

    question, context = BPE.encode(["who sat", "the cat sat"])
    assert ids == [[*question.ids, BPE.eos_id, *context.ids[1:]]]
    assert set(types[0]) == {0}
    by_word = [id_ for one in BPE.encode(["the", "cat", "sat"]) for id_ in one.ids[1:-1]]
    assert context.ids[1:-1] != by_word, "a word alone has lost the space before it"


def test_bert_reads_one_separator_and_the_context_as_segment_1():
    ids, types, tokens = rows(cut([ask("who sat", "the cat")], BERT, Sizes()))

    assert " ".join(map(BERT.token, ids[0])) == "[CLS] who sat [SEP] the cat [SEP]"
    assert types == [[0, 0, 0, 0, 1, 1, 1]]
    assert tokens == [[-1, -1, -1, -1, 0, 1, -1]]


def test_the_tokens_of_the_context_are_told_from_all_others():
    questions = [ask("who", "the cat"), ask("who sat", "the mat")]
    windows = cut(questions, BERT, Sizes())

    assert windows.first_W.tolist() == [3, 4]
    assert windows.last_W.tolist() == [5, 6]
    assert windows.question_W.tolist() == [0, 1]
    _, _, tokens = rows(windows)
    assert tokens == [[-1, -1, -1, 0, 1, -1], [-1, -1, -1, -1, 2, 3, -1]]


@TOKENIZERS
def test_a_question_loses_the_space_before_it(tokenizer):
    plain = cut([ask("who sat", " the cat")], tokenizer, Sizes())
    spaced = cut([ask(" \t\u3000who sat", " the cat")], tokenizer, Sizes())

    assert rows(plain) == rows(spaced)


def test_long_questions_are_truncated_and_counted(capsys):
    questions = [ask("who sat " * 3, "the cat"), ask("who", "the mat")]
    ids, _, _ = rows(cut(questions, BERT, Sizes(question=4)))

    assert " ".join(map(BERT.token, ids[0][:6])) == "[CLS] who sat who sat [SEP]"
    assert "1 of 2 questions truncated to 4 tokens" in capsys.readouterr().err


@TOKENIZERS
@settings(max_examples=100, deadline=None)
@given(
    words=st.lists(st.integers(0, 60), min_size=1, max_size=3),
    length=st.integers(14, 30),
    stride=st.integers(0, 5),
)
def test_windows_share_the_stride_and_leave_nothing_out(tokenizer, words, length, stride):
    specials = len(tokenizer.encode([""], [""])[0])
    questions = [ask("who", "cat " * count, str(count)) for count in words]
    windows = cut(questions, tokenizer, Sizes(length=length, stride=stride, question=4))

    ids, _, tokens = rows(windows)
    context = [[token for token in row if token >= 0] for row in tokens]
    for number, start in enumerate(windows.documents.starts_N1[windows.document_Q]):
        mine = [context[w] for w in np.flatnonzero(windows.question_W == number)]
        count = np.diff(windows.documents.starts_N1)[windows.document_Q[number]]
        assert sorted({token for row in mine for token in row}) == list(range(start, start + count))
        for before, after in pairwise(mine):
            assert before[len(before) - stride :] == after[:stride]
            assert after[-1] > before[-1], "none but the last may reach the end"
    for row in ids:
        assert specials < len(row) <= length


def test_a_context_is_tokenised_once_however_many_questions_and_windows_it_has(monkeypatch):
    seen = []
    encode = Tokenizer.encode

    def counted(self, texts, *rest, **options):
        seen.extend(texts)
        return encode(self, texts, *rest, **options)

    monkeypatch.setattr(Tokenizer, "encode", counted)
    context = "the cat sat " * 2_000
    sizes = Sizes(length=32, stride=8, question=4)
    windows = cut([ask("who", context, str(number)) for number in range(5)], BERT, sizes)

    assert seen.count(context) == 1
    assert len(windows) == 5 * (1 + -(-(6_000 - 28) // 20))


@pytest.mark.parametrize(
    "sizes",
    [
        Sizes(length=128, stride=60),
        Sizes(length=60, stride=0),
        Sizes(stride=-1),
        Sizes(question=0),
    ],
)
def test_sizes_that_leave_no_room_are_refused(sizes):
    with pytest.raises(UserError, match="leave") as error:
        cut([ask("who", "the cat")], BPE, sizes)

    room = sizes.length - 4 - sizes.question
    assert f"windows of {sizes.length} tokens with stride {sizes.stride}" in error.value.what
    assert f"4 special tokens leave {room} for the context" in error.value.what


def test_the_greatest_stride_that_moves_on_is_allowed():
    sizes = Sizes(length=12, stride=4, question=4)
    windows = cut([ask("who sat on mat", "cat " * 9)], BERT, sizes)

    assert len(windows) == 5
