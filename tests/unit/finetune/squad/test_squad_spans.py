import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.finetune.squad.read import Question, Reference
from unmask.finetune.squad.spans import NOWHERE, targets, tokens
from unmask.finetune.squad.windows import Sizes, cut
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.train import train

LETTERS = "ab 猫é\u0301ु👩\u200d\n\u3000.\U0001f98a"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [piece for letter in LETTERS if letter.strip() for piece in (letter, f"##{letter}")]
BPE = train(["the cat sat on the mat", "naïve 猫 the cat"] * 3, 280)
BERT = word_piece({piece: id_ for id_, piece in enumerate(SPECIALS + PIECES)}, lowercase=True)
TOKENIZERS = pytest.mark.parametrize("tokenizer", [BPE, BERT], ids=["bpe", "bert"])


def ask(context, text, start=None, id_="a"):
    start = context.index(text) if start is None else start
    return Question(id_, "who", context, (Reference(text, start),), "here")


def covered(question, windows, span):
    begin, end = windows.documents.begin_T[span[0]], windows.documents.end_T[span[1]]
    return question.context[begin:end]


@TOKENIZERS
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_tokens_of_an_answer_hold_it_and_none_of_them_is_too_many(tokenizer, data):
    context = data.draw(st.text(st.sampled_from(LETTERS), min_size=1, max_size=30))
    context = f"a{context}b"
    start = data.draw(st.integers(0, len(context) - 1))
    text = context[start : data.draw(st.integers(start + 1, len(context)))]
    question = ask(context, text, start)
    windows = cut([question], tokenizer, Sizes())
    documents = windows.documents

    first, last = span = tokens(question.references[0], documents, 0)
    if span == NOWHERE:
        begin, end = documents.begin_T.tolist(), documents.end_T.tolist()
        held = {place for one in zip(begin, end, strict=True) for place in range(*one)}
        answer = [start + n for n, letter in enumerate(text) if letter.strip()]
        assert not held.intersection(answer)
        return
    if tokenizer is BPE:
        assert text.strip() in covered(question, windows, span)
    begin = start + len(text) - len(text.lstrip())
    end = start + len(text.rstrip())
    for token in span:
        assert documents.begin_T[token] < end, "the token holds a character of the answer"
        assert documents.end_T[token] > begin
    held_before = first == 0 or documents.end_T[first - 1] <= begin
    held_after = last == len(documents.ids_T) - 1 or documents.begin_T[last + 1] >= end
    empty_after = not held_after and documents.begin_T[last + 1] == documents.end_T[last + 1]
    assert held_before
    assert held_after or empty_after


def test_a_window_points_at_the_answer_it_holds_whole_and_else_at_its_first_token():
    context = "a b a b a b a 猫 猫 b a b a b"
    question = ask(context, "猫 猫")
    windows = cut([question], BERT, Sizes(length=9, stride=3, question=1))

    places = targets([question], windows)

    assert windows.first_W.tolist() == [3] * len(windows)
    starts = windows.sequences.starts_N1
    for window, (first, last) in enumerate(places.tolist()):
        here = windows.token_T[starts[window] : starts[window + 1]].tolist()
        if 7 in here and 8 in here:
            assert (here[first], here[last]) == (7, 8)
        else:
            assert (first, last) == (0, 0)
    assert sorted(map(tuple, places.tolist()))[0] == (0, 0)
    assert any(place > (0, 0) for place in map(tuple, places.tolist()))


def test_half_of_an_answer_at_the_edge_of_a_window_is_none():
    question = ask("a b a b a b a b a b", "b a", start=8)
    windows = cut([question], BERT, Sizes(length=9, stride=0, question=1))

    assert windows.token_T[windows.token_T >= 0].tolist() == list(range(10))
    assert targets([question], windows).tolist() == [[0, 0], [0, 0]]


def test_an_answer_that_stands_twice_is_learnt_where_it_was_marked():
    context = "a b a b"
    questions = [ask(context, "b", start, str(start)) for start in (2, 6)]

    assert targets(questions, cut(questions, BERT, Sizes())).tolist() == [[4, 4], [6, 6]]


def test_impossible_questions_point_at_the_first_token():
    question = Question("a", "who", "a b", (), "here")

    assert targets([question], cut([question], BERT, Sizes())).tolist() == [[0, 0]]


def test_of_several_references_the_first_is_learnt():
    question = Question("a", "who", "a b", (Reference("b", 2), Reference("a", 0)), "here")

    assert targets([question], cut([question], BERT, Sizes())).tolist() == [[4, 4]]


@TOKENIZERS
def test_the_space_before_a_word_is_no_part_of_its_answer(tokenizer):
    question = ask("the  cat\n sat", "cat")
    windows = cut([question], tokenizer, Sizes())

    assert covered(question, windows, tokens(question.references[0], windows.documents, 0)) == "cat"


@TOKENIZERS
def test_space_around_an_answer_counts_for_nothing(tokenizer):
    question = ask("a  cat \n b", "  cat \n ")
    windows = cut([question], tokenizer, Sizes())

    assert covered(question, windows, tokens(question.references[0], windows.documents, 0)) == "cat"


def test_all_bytes_of_a_character_are_in_its_answer():
    question = ask("a\U0001f98ab", "\U0001f98a")
    windows = cut([question], BPE, Sizes())
    first, last = tokens(question.references[0], windows.documents, 0)

    assert last - first == 3
    assert covered(question, windows, (first, last)) == "\U0001f98a"


def test_answers_that_no_window_holds_are_counted(capsys):
    long = ask("a b a b a b a b", "b a b a b", id_="long")
    dropped = ask("a \x07 b", "\x07", id_="dropped")
    fine = ask("a b", "b", id_="fine")
    impossible = Question("none", "who", "a b", (), "here")
    questions = [long, dropped, fine, impossible]
    windows = cut(questions, BERT, Sizes(length=8, stride=1, question=1))

    places = targets(questions, windows)

    assert {*windows.question_W[places.any(1)].tolist()} == {2}
    assert "2 of 3 answers stand whole in no window" in capsys.readouterr().err
