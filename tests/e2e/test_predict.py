"""`unmask predict` by the real command line: every head, mode, source of texts and mistake."""

import json
import time

import pytest

from .answers import said

pytestmark = pytest.mark.e2e

TUNED = (
    *("--model", "pretrain/model", "--steps", "3", "--batch", "4", "--warmup-steps", "0"),
    *("--precision", "fp32", "--device", "cpu", "--restarts", "0"),
)
TEXTS = ("The cat sees the dog in the river.", "The hen meets the cow in the market.")
WORDS = [
    ("The", "O"),
    ("cat", "B-PER"),
    ("sees", "O"),
    ("the", "O"),
    ("river", "B-LOC"),
    (".", "O"),
]
LONG = "The cat sees the dog in the river. " * 9000
"""About 100,000 tokens of the line's vocabulary."""
HEADS = {
    "several": ("--task", "table", "--columns.target", "several"),
    "number": ("--task", "table", "--columns.target", "number"),
    "pair": ("--task", "table", "--columns.pair", "second"),
    "ner": ("--task", "ner"),
    "squad": ("--task", "squad", "--windows.stride", "4", "--windows.question", "8"),
    "squad2": ("--task", "squad2", "--windows.stride", "4", "--windows.question", "8"),
    "choices": (
        *("--task", "choices", "--choices.options", "a", "b"),
        *("--choices.passage", "text", "--choices.question", "question"),
    ),
}


def table_rows(kind):
    first, second = TEXTS
    match kind:
        case "several":
            return [{"text": first, "label": "a|b"}, {"text": second, "label": "b"}]
        case "number":
            return [{"text": first, "label": 0.5}, {"text": second, "label": 3}]
        case "pair":
            return [
                {"text": first, "second": first, "label": "same"},
                {"text": first, "second": second, "label": "other"},
            ]
    one = {"text": first, "question": "Who sees?", "a": "cat", "b": "cow", "label": 0}
    return [
        one,
        one | {"text": second, "question": "Who meets?", "a": "dog", "b": "hen", "label": 1},
    ]


def squad(*, impossible):
    answers = [{"text": "the dog", "answer_start": TEXTS[0].index("the dog")}]
    qas = [{"id": "q1", "question": "Who is seen?", "answers": answers}]
    if impossible:
        qas.append({"id": "q2", "question": "Who swims?", "answers": []})
    return {"data": [{"title": "t", "paragraphs": [{"context": TEXTS[0], "qas": qas}]}]}


def content(kind):
    """The name of a split's file but for the split, and what is in it."""
    if kind == "ner":
        sentence = "".join(f"{word} {tag}\n" for word, tag in WORDS)
        return ".txt", f"{sentence}\n" * 4
    if kind.startswith("squad"):
        return ".json", json.dumps(squad(impossible=kind == "squad2"))
    return ".jsonl", "".join(json.dumps(row) + "\n" for row in table_rows(kind) * 4)


@pytest.fixture(scope="module")
def tuned(line):
    """A model of every head, each fine-tuned for three steps, beside those of the line."""
    for kind, flags in HEADS.items():
        folder = line.folder / "answering" / kind
        folder.mkdir(parents=True)
        ending, text = content(kind)
        for split in ("train", "dev"):
            (folder / f"{split}{ending}").write_text(text, encoding="utf-8")
        words = ("--data", f"answering/{kind}", "--out", f"answering/{kind}-run", *TUNED, *flags)
        done = said(line, "finetune", *words)
        assert done.code == 0, done.talk
    return line


def model(kind):
    return {
        "class": "finetune/model",
        "masks": "pretrain/model",
        "onnx": "export",
    }.get(kind, f"answering/{kind}-run/model")


def predict(line, kind, *words, stdin=""):
    return said(line, "predict", "--model", model(kind), *words, stdin=stdin)


ENTITY = {"type", "text", "start", "end", "score"}
QUESTION = ("--question", "Who is seen?")
CHOICE = (*QUESTION, "--option", "the dog", "the cow")


@pytest.mark.parametrize(
    ("kind", "flags", "keys"),
    [
        ("class", (), {"text", "label", "scores"}),
        ("onnx", (), {"text", "label", "scores"}),
        ("several", (), {"text", "labels", "scores"}),
        ("number", (), {"text", "number"}),
        ("pair", ("--pair", "A dog."), {"text", "pair", "label", "scores"}),
        ("ner", (), {"text", "entities"}),
        ("squad", QUESTION, {"id", "question", "answer", "candidates"}),
        ("squad2", QUESTION, {"id", "question", "answer", "candidates", "null_odds"}),
        ("choices", CHOICE, {"id", "question", "answer", "number", "scores"}),
    ],
)
def test_every_head_answers_a_line_a_text(tuned, kind, flags, keys):
    answers = predict(tuned, kind, "--text", *TEXTS, *flags).answers

    assert [set(answer) for answer in answers] == [keys, keys]
    assert all(
        answer.get("text", text) == text for answer, text in zip(answers, TEXTS, strict=True)
    )


MASKED = ("--text", "The <mask> sees the <mask>.", "The cat <mask>.")


@pytest.mark.parametrize(
    ("flags", "keys"),
    [
        (MASKED, {"text", "filled", "masks"}),
        ((*MASKED, "--targets", "the", "--top-k", "1"), {"text", "filled", "masks"}),
        ((*MASKED, "--mode", "fill-together"), {"text", "fillings"}),
        (("--mode", "features", "--text", *TEXTS), {"text", "vector"}),
        (("--mode", "features", "--pooling", "first", "--text", *TEXTS), {"text", "vector"}),
        (("--mode", "token-features", "--text", *TEXTS), {"text", "pieces", "vectors"}),
        (
            ("--mode", "word-features", "--layers", "0", "1", "--text", *TEXTS),
            {"text", "pieces", "vectors"},
        ),
        (
            ("--mode", "pronouns", "--text", *(f"The _cat_ and the _dog_ {x} [it]." for x in "ab")),
            {"text", "best", "is_query", "scores"},
        ),
        (
            ("--mode", "choose", "--text", "The _ sees.", "A _.", "--option", "cat", "dog"),
            {"text", "best", "scores"},
        ),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_a_language_model_answers_a_line_a_text_in_every_mode(tuned, flags, keys):
    answers = predict(tuned, "masks", *flags).answers

    assert [set(answer) for answer in answers] == [keys, keys]


def test_perplexities_have_a_line_for_all_texts_at_the_end(tuned):
    *each, together = predict(tuned, "masks", "--mode", "perplexity", "--text", *TEXTS).answers

    assert [set(one) for one in each] == [{"text", "tokens", "log_likelihood", "perplexity"}] * 2
    assert together.keys() == {"texts", "corpus_perplexity"}


def written(line, name, text):
    (line.folder / name).write_text(text, encoding="utf-8")
    return name


def test_every_kind_of_file_and_stdin_give_the_same_answers(tuned):
    lines = "".join(f"{text}\n" for text in TEXTS)
    files = [
        written(tuned, "texts.txt", f"{lines}\n"),
        written(tuned, "texts.tsv", f"text\n{lines}"),
        written(tuned, "texts.csv", "text\n" + "".join(f'"{text}"\n' for text in TEXTS)),
        written(tuned, "texts.jsonl", "".join(json.dumps({"text": one}) + "\n" for one in TEXTS)),
    ]
    given = predict(tuned, "class", "--text", *TEXTS).out

    assert given
    assert predict(tuned, "class", stdin=lines).out == given
    for name in files:
        assert predict(tuned, "class", "--file", name).out == given, name
    assert predict(tuned, "ner", "--file", files[0]).out == predict(tuned, "ner", stdin=lines).out


def test_pairs_are_those_of_a_table(tuned):
    rows = [{"one": text, "two": TEXTS[0]} for text in TEXTS]
    table = written(tuned, "pairs.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    columns = ("--text-column", "one", "--pair-column", "two")

    answers = predict(tuned, "pair", "--file", table, *columns).answers
    found = predict(tuned, "squad", "--file", table, *columns).answers

    assert [answer["pair"] for answer in answers] == [TEXTS[0]] * 2
    assert [answer["question"] for answer in found] == [TEXTS[0]] * 2


def test_a_model_of_pairs_says_that_a_text_comes_alone(tuned):
    alone = predict(tuned, "pair", "--text", *TEXTS)

    assert len(alone.answers) == 2
    assert "learnt pairs, and these texts come alone; give --pair" in alone.talk
    assert "learnt pairs" not in predict(tuned, "pair", "--text", "a", "--pair", "b").talk


def test_questions_of_squads_file_are_answered_under_their_ids(tuned):
    name = written(tuned, "asked.json", json.dumps(squad(impossible=True)))

    answers = predict(tuned, "squad2", "--file", name).answers

    assert [answer["id"] for answer in answers] == ["q1", "q2"]


def test_a_table_of_choices(tuned):
    table = written(tuned, "choices.jsonl", "".join(json.dumps(x) + "\n" for x in table_rows("")))
    columns = ("--choices.options", "a", "b", "--choices.passage", "text")

    answers = predict(
        tuned, "choices", "--file", table, *columns, "--choices.question", "question"
    ).answers

    assert [set(answer["scores"]) for answer in answers] == [{"cat", "cow"}, {"dog", "hen"}]


def test_features_go_into_a_file_and_nothing_to_stdout(tuned):
    done = predict(tuned, "masks", "--mode", "features", "--text", *TEXTS, "--out", "f.npy")

    assert (done.answers, (tuned.folder / "f.npy").exists()) == ([], True)


@pytest.mark.parametrize(
    ("kind", "flags", "error"),
    [
        ("class", QUESTION, "--question 'Who is seen?': finetune/model answers no questions"),
        ("class", ("--option", "a", "b"), "--option: finetune/model does not choose"),
        ("class", ("--top-k", "3"), "--top-k 3: finetune/model fills no masks"),
        ("choices", (*CHOICE, "--top-k", "3"), "fills no masks"),
        ("class", ("--targets", "cat"), "says nothing about hidden words"),
        ("class", ("--mode", "fill-together"), "says nothing about hidden words"),
        ("class", ("--mode", "perplexity"), "says nothing about hidden words"),
        ("squad", (), "text 1: has no question"),
        ("squad", ("--question", " "), "--question: text 1 is empty"),
        ("choices", (), "--option: 0 given"),
        ("choices", (*QUESTION, "--option", "a"), "--option: 1 given"),
        ("choices", (*QUESTION, "--option", "a", "b", "c"), "3 options where"),
        ("masks", ("--mode", "choose", "--option", "a"), "one option leaves no choice"),
        ("masks", ("--mode", "choose", "--option", "a", "b"), "0 gaps"),
        ("masks", ("--mode", "pronouns"), "0 pronouns are marked"),
        ("masks", ("--mode", "features", "--layers", "99"), "99"),
        ("masks", (), "no <mask>"),
        ("masks", ("--mode", "features", "--out", "x.txt"), "x.txt"),
        ("masks", ("--mode", "features", "--question", "a"), "--question with --mode features"),
        ("ner", ("--top-k", "0"), "--top-k 0: too small"),
        ("ner", ("--pair-column", "x"), "columns are those of a table"),
        ("nothing", (), "no such folder"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_one_clear_line(tuned, kind, flags, error):
    found, _ = predict(tuned, kind, "--text", TEXTS[0], *flags).complaint

    assert error in found


@pytest.mark.parametrize(
    ("kind", "flags", "error"),
    [
        ("class", ("--text", " "), "--text: text 1 is empty"),
        ("class", ("--file", "none.txt"), "none.txt: no such file"),
        ("class", ("--file", "."), "unknown kind of table"),
        ("class", ("--file", "empty.txt"), "empty.txt: has no texts"),
        ("class", ("--file", "empty.json"), "for models that answer questions"),
        ("class", ("--file", "one.jsonl"), "no column 'text'; there is 'x'"),
        ("ner", ("--file", "one.jsonl", "--pair-column", "x"), "reads no pairs"),
        ("squad", ("--file", "empty.json"), "empty.json: no JSON"),
        ("squad", ("--file", "empty.json", *QUESTION), "the questions are in empty.json"),
        ("choices", ("--file", "one.jsonl", *CHOICE), "has questions and options of its own"),
        ("choices", ("--file", "one.jsonl"), "no column of options is named"),
        ("masks", ("--file", "one.jsonl", "--mode", "choose", "--option", "a", "b"), "of its own"),
    ],
    ids=str,
)
def test_a_source_that_does_not_fit_is_one_clear_line(tuned, kind, flags, error):
    written(tuned, "empty.txt", "\n")
    written(tuned, "empty.json", "")
    written(tuned, "one.jsonl", '{"x": "a"}\n')

    found, hint = predict(tuned, kind, *flags).complaint

    assert error in found
    assert "--columns" not in hint


def test_an_empty_stream_has_no_answers(tuned):
    for kind, flags in (("class", ()), ("ner", ()), ("squad", QUESTION), ("choices", CHOICE)):
        assert predict(tuned, kind, *flags, stdin="\n\n").answers == []


def test_a_text_of_a_hundred_thousand_tokens_is_answered_in_windows(tuned):
    began = time.monotonic()
    (found,) = predict(tuned, "ner", stdin=LONG).answers
    (answer,) = predict(tuned, "squad", *QUESTION, stdin=LONG).answers
    (cut,) = predict(tuned, "class", stdin=LONG).answers

    assert found["text"] == LONG
    for one in found["entities"]:
        assert one.keys() == ENTITY
        assert LONG[one["start"] : one["end"]] == one["text"]
    assert LONG[answer["candidates"][0]["start"] :].startswith(answer["answer"])
    assert cut["truncated"]
    assert time.monotonic() - began < 60
