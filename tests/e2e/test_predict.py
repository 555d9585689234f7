"""`unmask predict` by the real command line: every head, mode, source of texts and mistake."""

import json
import random
import subprocess
import sys
import time

import pytest

from .answers import said
from .processes import Started

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


BY_HEAD = pytest.mark.parametrize(
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


@BY_HEAD
def test_every_head_answers_a_line_a_text(tuned, kind, flags, keys):
    answers = predict(tuned, kind, "--text", *TEXTS, *flags).answers

    assert [set(answer) for answer in answers] == [keys, keys]
    assert all(
        answer.get("text", text) == text for answer, text in zip(answers, TEXTS, strict=True)
    )


@BY_HEAD
def test_every_head_writes_a_file_and_nothing_to_stdout(tuned, kind, flags, keys):
    name = written(tuned, "two.txt", "".join(f"{text}\n\n" for text in TEXTS))
    output = f"{kind}{len(keys)}.jsonl"
    printed = predict(tuned, kind, "--input", name, *flags).out

    first = predict(tuned, kind, "--input", name, *flags, "--output", output)
    again = predict(tuned, kind, "--input", name, *flags, "--output", output)

    assert (first.answers, again.answers) == ([], [])
    assert (tuned.folder / output).read_text(encoding="utf-8") == printed
    assert f"{output}: done already" in again.talk


MASKED = ("--text", "The <mask> sees the <mask>.", "The cat <mask>.")


IN_MODES = pytest.mark.parametrize(
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


@IN_MODES
def test_a_language_model_answers_a_line_a_text_in_every_mode(tuned, flags, keys):
    answers = predict(tuned, "masks", *flags).answers

    assert [set(answer) for answer in answers] == [keys, keys]


@IN_MODES
def test_every_mode_writes_a_file(tuned, flags, keys):
    printed = predict(tuned, "masks", *flags).out

    done = predict(tuned, "masks", *flags, "--output", "mode.jsonl", "--force")

    assert done.answers == []
    lines = (tuned.folder / "mode.jsonl").read_text(encoding="utf-8")
    assert lines == printed
    assert set(json.loads(lines.splitlines()[0])) == keys


def test_perplexities_have_a_line_for_all_texts_at_the_end(tuned):
    asked = ("--mode", "perplexity", "--text", *TEXTS)
    printed = predict(tuned, "masks", *asked)
    *each, together = printed.answers
    predict(tuned, "masks", *asked, "--output", "perplexity.jsonl")

    assert [set(one) for one in each] == [{"text", "tokens", "log_likelihood", "perplexity"}] * 2
    assert together.keys() == {"texts", "corpus_perplexity"}
    assert (tuned.folder / "perplexity.jsonl").read_text(encoding="utf-8") == printed.out


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
        assert predict(tuned, "class", "--input", name).out == given, name
    assert predict(tuned, "ner", "--input", files[0]).out == predict(tuned, "ner", stdin=lines).out


def test_pairs_are_those_of_a_table(tuned):
    rows = [{"one": text, "two": TEXTS[0]} for text in TEXTS]
    table = written(tuned, "pairs.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    columns = ("--text-column", "one", "--pair-column", "two")

    answers = predict(tuned, "pair", "--input", table, *columns).answers
    found = predict(tuned, "squad", "--input", table, *columns).answers

    assert [answer["pair"] for answer in answers] == [TEXTS[0]] * 2
    assert [answer["question"] for answer in found] == [TEXTS[0]] * 2


def test_a_model_of_pairs_says_that_a_text_comes_alone(tuned):
    alone = predict(tuned, "pair", "--text", *TEXTS)

    assert len(alone.answers) == 2
    assert "learnt pairs, and these texts come alone; give --pair" in alone.talk
    assert "learnt pairs" not in predict(tuned, "pair", "--text", "a", "--pair", "b").talk


def test_questions_of_squads_file_are_answered_under_their_ids(tuned):
    name = written(tuned, "asked.json", json.dumps(squad(impossible=True)))

    answers = predict(tuned, "squad2", "--input", name).answers

    assert [answer["id"] for answer in answers] == ["q1", "q2"]


def test_a_table_of_choices(tuned):
    table = written(tuned, "choices.jsonl", "".join(json.dumps(x) + "\n" for x in table_rows("")))
    columns = ("--choices.options", "a", "b", "--choices.passage", "text")

    answers = predict(
        tuned, "choices", "--input", table, *columns, "--choices.question", "question"
    ).answers

    assert [set(answer["scores"]) for answer in answers] == [{"cat", "cow"}, {"dog", "hen"}]


def test_features_go_into_a_file_and_nothing_to_stdout(tuned):
    done = predict(tuned, "masks", "--mode", "features", "--text", *TEXTS, "--output", "f.npy")

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
        ("masks", ("--mode", "features", "--output", "x.txt"), "x.txt"),
        ("class", ("--output", "x.npy"), "--output x.npy: with --mode answer answers are JSON"),
        ("class", ("--output", "x.jsonl.gz"), "--output x.jsonl.gz: answers are not packed"),
        ("class", ("--output", "none/x"), "is no folder"),
        ("class", ("--output", "task"), "--output task: a folder, not a file"),
        ("class", ("--output", "/dev/null"), "no ordinary file"),
        ("class", ("--force",), "--force without --output"),
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
        ("class", ("--input", "none.txt"), "none.txt: no such file"),
        ("class", ("--input", "one.jsonl", "--output", "one.jsonl"), "is the --input, too"),
        ("class", ("--input", "."), "unknown kind of table"),
        ("class", ("--input", "empty.txt"), "empty.txt: has no texts"),
        ("class", ("--input", "empty.json"), "for models that answer questions"),
        ("class", ("--input", "one.jsonl"), "no column 'text'; there is 'x'"),
        ("ner", ("--input", "one.jsonl", "--pair-column", "x"), "reads no pairs"),
        ("squad", ("--input", "empty.json"), "empty.json: no JSON"),
        ("squad", ("--input", "empty.json", *QUESTION), "the questions are in empty.json"),
        ("choices", ("--input", "one.jsonl", *CHOICE), "has questions and options of its own"),
        ("choices", ("--input", "one.jsonl"), "no column of options is named"),
        ("masks", ("--input", "one.jsonl", "--mode", "choose", "--option", "a", "b"), "of its own"),
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


LINES = 5 * 4096 + 100
"""So that there are five full windows."""


ONE_THREAD = ("--engine.threads", "1")
"""Sums of another number of threads differ in the last digit."""


@pytest.fixture(scope="module")
def many(tuned):
    """A file of many lines, and all answers to them."""
    dice = random.Random(0)
    nouns = ("cat", "dog", "hen", "cow")
    lines = [
        f"The {dice.choice(nouns)} sees the {dice.choice(nouns)}{' again' * dice.randint(0, 3)}.\n"
        for _ in range(LINES)
    ]
    written(tuned, "many.txt", "\n".join(lines))
    done = predict(tuned, "class", "--input", "many.txt", "--output", "whole.jsonl", *ONE_THREAD)
    assert done.code == 0, done.talk
    return "many.txt", (tuned.folder / "whole.jsonl").read_bytes()


def wait_for_texts(output, more, going):
    """Wait until answers to so many more texts are recorded, or the run has ended."""
    record = output.with_name(f"{output.name}.progress.json")

    def recorded():
        return json.loads(record.read_text())["texts"] if record.exists() else 0

    goal, deadline = recorded() + more, time.monotonic() + 60
    while going() and recorded() < goal and time.monotonic() < deadline:
        time.sleep(0.002)


@pytest.mark.timeout(300)
def test_killed_at_random_moments_it_writes_the_bytes_of_a_run_that_never_stopped(tuned, many):
    name, whole = many
    dice = random.Random(1)
    output = tuned.folder / "killed.jsonl"
    words = ("--model", model("class"), "--input", name, "--output", output.name, *ONE_THREAD)
    for _ in range(3):  # of five windows, so that none comes too late
        started = Started(tuned, words, command="predict")
        wait_for_texts(output, 1, started.going)
        time.sleep(dice.uniform(0, 0.1))
        started.kill()
        codes, talk = started.end()
        assert codes == [-9], talk

    ended = predict(tuned, "class", *words[2:])

    assert ended.code == 0, ended.talk
    assert "killed.jsonl: going on after " in ended.talk
    assert output.read_bytes() == whole
    assert [json.loads(line)["text"] for line in whole.splitlines()] == [
        line for line in (tuned.folder / name).read_text().splitlines() if line
    ]
    assert not (tuned.folder / "killed.jsonl.progress.json").exists()


@pytest.mark.timeout(300)
def test_a_full_disk_and_a_line_that_cannot_be_read_stop_it_for_a_while(tuned, many):
    name, whole = many
    given = ("predict", "--model", model("class"), "--output", "full.jsonl", *ONE_THREAD)
    words = (*given, "--input")
    good = (tuned.folder / name).read_bytes()
    bad = good[:-10] + b"\xff" + good[-9:]
    (tuned.folder / "bad.txt").write_bytes(bad)

    full = tuned(*words, name, limit_bytes=len(whole) // 2)
    unread = said(tuned, *words, "bad.txt")

    assert full.returncode == 2
    assert "error: full.jsonl: no space left (File too large)" in full.stderr
    assert "going on after 8,192 texts" in unread.talk
    assert f"bad.txt: line {2 * LINES - 1} is not UTF-8" in unread.talk
    found = (tuned.folder / "full.jsonl").read_bytes()
    assert found.count(b"\n") == LINES - 1
    assert said(tuned, *words, name).code == 0
    assert (tuned.folder / "full.jsonl").read_bytes() == whole


PEAK = """
import resource, sys
from pathlib import Path
from unmask.infer import resume, texts
from unmask.infer.config import PredictConfig
from unmask.infer.reading import Meter
from unmask.infer.streaming import Job
model, given, output = map(Path, sys.argv[1:])
config = PredictConfig(model=model, input=given, output=output)
answer = lambda window: ({"text": one.text} for one in window)
resume.write(config, output, Job(texts.read(config), lambda: answer), Meter())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("ending", [".txt", ".jsonl"])
def test_ten_times_the_lines_take_no_more_memory(tuned, ending):
    """Of 200,000 lines of 300 characters, 60 MB; the model is a stub."""
    peaks_kb = []
    for count in (20_000, 200_000):
        name = f"{count}{ending}"
        row = '{"text": "%s"}\n' if ending == ".jsonl" else "%s\n"
        with (tuned.folder / name).open("w") as file:
            file.writelines(row % f"{number} {'word ' * 60}" for number in range(count))
        words = (sys.executable, "-c", PEAK, model("class"), name, f"{name}.out")
        done = subprocess.run(
            words, cwd=tuned.folder, env=tuned.environment, capture_output=True, check=True
        )
        peaks_kb.append(int(done.stdout))
        (tuned.folder / name).unlink()

    assert peaks_kb[1] - peaks_kb[0] < 15_000
