"""Windows beside the truncation of tokenizers, on real paragraphs and on difficult text."""

import functools
from itertools import pairwise

import numpy as np
import pytest
import tokenizers

from unmask.finetune.squad.read import Question, read
from unmask.finetune.squad.spans import targets, tokens
from unmask.finetune.squad.windows import Sizes, cut
from unmask.tokenizer import imports

NASTY = [
    "  leading, trailing and   many spaces   ",
    "tabs\tand\nline\r\nends\n\n",
    "family 👩‍👩‍👧‍👦 flag 🏳️‍🌈 skin 👍🏽 e\u0301 Z̷̡̛a̶l̵g̸o̵",
    "مرحبا بالعالم \u202eשלום\u202c مُحَمَّد",
    "中文字符与English混排，日本語のテキスト 한국어 서울은 대한민국의 수도이다.",
    "कुछ लोग दिल्ली में रहते हैं। क्षत्रिय",
    "control \x00\x01\x07\x1b[0m\x7f\x85 and \ufeff\u200b\ufffd",
    "a <mask> b<mask>c <s>bold</s> <pad><unk> [CLS] [MASK] [SEP]",
    "x" * 500,
    "é猫" * 300,
    "\x07",
]
LOWER = {"wordpiece/bert-base-uncased": True, "wordpiece/bert-base-cased": False}
VOCABULARIES = pytest.mark.parametrize(
    "vocabulary", ["bpe/roberta", *LOWER, "wordpiece/bert-base-chinese"]
)
FILES = ["xquad.en", "squad2-dev-half"]


@functools.cache
def load(folder, vocabulary):
    source = imports.find(folder / vocabulary)
    lower = None if vocabulary == "bpe/roberta" else LOWER.get(vocabulary, True)
    return imports.read(source, lowercase=lower)


@functools.cache
def squad(folder, name):
    return read(folder / f"squad/{name}.json.gz")


def theirs(tokenizer, questions, sizes):
    backend = tokenizers.Tokenizer.from_str(tokenizer.json)
    backend.enable_truncation(sizes.length, stride=sizes.stride, strategy="only_second")
    pairs = [(question.question.lstrip(), question.context) for question in questions]
    return [[first, *first.overflowing] for first in backend.encode_batch(pairs)]


def assert_same(tokenizer, questions, sizes):
    windows = cut(questions, tokenizer, sizes)
    expected = theirs(tokenizer, questions, sizes)
    flat = [(number, one) for number, some in enumerate(expected) for one in some]

    assert windows.question_W.tolist() == [number for number, _ in flat]
    sequences = windows.sequences
    begins, ends = (array.tolist() for array in offsets(windows))
    for window, (here, (number, encoding)) in enumerate(
        zip(pairwise(sequences.starts_N1), flat, strict=True)
    ):
        part = slice(*here)
        assert sequences.ids_T[part].tolist() == encoding.ids
        assert sequences.types_T[part].tolist() == encoding.type_ids
        token_L = windows.token_T[part]
        assert (token_L >= 0).tolist() == [one == 1 for one in encoding.sequence_ids]
        places = np.flatnonzero(token_L >= 0)
        assert places.tolist() == list(range(windows.first_W[window], windows.last_W[window]))
        text = questions[number].context
        theirs_L = encoding.offsets
        for place, token in zip(places.tolist(), token_L[places].tolist(), strict=True):
            held = text[begins[token] : ends[token]]
            expected = text[slice(*theirs_L[place])].strip()
            assert held.startswith(expected)
            assert len(held) == len(expected) or tokenizer.family == "bert", "which drops marks"


def offsets(windows):
    return windows.documents.begin_T, windows.documents.end_T


@VOCABULARIES
@pytest.mark.parametrize(
    "sizes", [Sizes(), Sizes(length=150, stride=32), Sizes(length=80, stride=0)]
)
def test_real_questions_have_the_same_windows(shared_data, vocabulary, sizes):
    tokenizer = load(shared_data, vocabulary)
    questions = [one for name in FILES for one in squad(shared_data, name)[::23]]

    assert_same(tokenizer, questions, sizes)


@VOCABULARIES
def test_difficult_text_has_the_same_windows_at_any_size(shared_data, vocabulary):
    tokenizer = load(shared_data, vocabulary)
    longest = max(len(tokenizer.encode([text.lstrip()])[0]) - 2 for text in NASTY[:8])
    questions = [
        Question(f"{a} {b}", question, context, (), "here")
        for a, question in enumerate(NASTY[:8])
        for b, context in enumerate(NASTY)
    ]
    for room, stride in ((1, 0), (2, 1), (7, 3), (40, 39), (1_000, 5)):
        length = longest + room + len(tokenizer.encode([""], [""])[0])
        assert_same(tokenizer, questions, Sizes(length=length, stride=stride, question=longest))


@VOCABULARIES
def test_every_real_answer_is_held_by_its_tokens(shared_data, vocabulary):
    if vocabulary == "wordpiece/bert-base-chinese":
        pytest.skip("a Chinese vocabulary says little of English answers")
    tokenizer = load(shared_data, vocabulary)
    for name in FILES:
        questions = squad(shared_data, name)
        windows = cut(questions, tokenizer, Sizes())
        begin_D, end_D = offsets(windows)
        whole = total = 0
        for question, document in zip(questions, windows.document_Q, strict=True):
            for reference in question.references:
                first, last = tokens(reference, windows.documents, int(document))
                found = question.context[begin_D[first] : end_D[last]]
                assert reference.text.strip() in found, question.id
                whole += found == reference.text
                total += 1
        assert whole >= 0.985 * total, "some answers end within a word, or before its comma"
        reached = set(windows.question_W[targets(questions, windows).any(1)].tolist())
        assert reached == {n for n, question in enumerate(questions) if not question.impossible}
