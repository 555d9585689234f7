"""`--output`: what stands in the file after a stop at any moment, and what is never overwritten."""

import errno
import fcntl
import json
import os

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.infer import resume, texts
from unmask.infer.config import PredictConfig
from unmask.infer.language.perplexity import PseudoLikelihood, corpus_perplexity
from unmask.infer.reading import Meter
from unmask.infer.sinks import ArrayRows, JsonLines
from unmask.infer.streaming import Job, Size
from unmask.infer.tallies import Accuracy, Perplexities

LINES = [f"text {number} ü 字" for number in range(10)]
WINDOW = Size(3, 1 << 20)


class Killed(BaseException):
    """As a signal: nothing after it is done."""


@pytest.fixture
def folder(tmp_path):
    """A folder with something that has a hash as a model has, and a file of texts."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "in.txt").write_text("\n\n".join(LINES) + "\n")
    return tmp_path


def settings(folder, **more):
    paths = {"model": folder / "model", "input": folder / "in.txt", "output": folder / "out.jsonl"}
    return PredictConfig(**(paths | more))


class Model:
    """Answers by length; is killed after so many answers, counting those of all windows."""

    def __init__(self, killed_after=None, tally=None):
        self.left = killed_after
        self.tally = tally
        self.windows = []

    def __call__(self, given):
        self.windows.append([one.text for one in given])
        for one in given:
            if self.left is not None:
                if not self.left:
                    raise Killed
                self.left -= 1
            if self.tally is not None:
                self.tally.add(-0.1 * len(one.text), len(one.text))
            yield {"text": one.text, "length": len(one.text)}


def write(config, model=None, items=None):
    model = model or Model()
    found = texts.read(config) if items is None else iter(items)
    job = Job(found, lambda: model, model.tally, WINDOW)
    resume.write(config, config.output, job, Meter())
    return model


def refusal(config, **more):
    with pytest.raises(UserError) as caught:
        write(config, **more)
    return caught.value.what, caught.value.hint


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("out"))


EXPECTED = "".join(
    json.dumps({"text": one, "length": len(one)}, ensure_ascii=False) + "\n" for one in LINES
).encode()


def test_answers_stand_in_the_order_of_the_texts_and_progress_is_gone(folder):
    model = write(settings(folder))

    assert (folder / "out.jsonl").read_bytes() == EXPECTED
    assert model.windows == [LINES[:3], LINES[3:6], LINES[6:9], LINES[9:]]
    assert names(folder) == ["out.jsonl", "out.jsonl.done.json"]


@pytest.mark.parametrize("half", [b"", b'{"text": "te', b'{"text": "another whole one"}\n'])
@pytest.mark.parametrize("stop", range(10))
def test_killed_after_any_answer_it_goes_on_with_the_same_bytes(folder, stop, half):
    config = settings(folder)
    with pytest.raises(Killed):
        write(config, Model(killed_after=stop))
    with config.output.open("ab") as file:
        file.write(half)
    progress = json.loads((folder / "out.jsonl.progress.json").read_text())
    assert progress["texts"] == stop // 3 * 3

    model = write(config)

    assert config.output.read_bytes() == EXPECTED
    assert [one for window in model.windows for one in window] == LINES[stop // 3 * 3 :]
    assert names(folder) == ["out.jsonl", "out.jsonl.done.json"]


def test_killed_again_and_again_it_goes_on_with_the_same_bytes_and_the_same_sum(folder):
    config = settings(folder)
    write(settings(folder, output=folder / "out.whole"), Model(tally=Perplexities()))
    for stop in (4, 2, 5):
        with pytest.raises(Killed):
            write(config, Model(stop, Perplexities()))

    write(config, Model(tally=Perplexities()))

    assert config.output.read_bytes() == (folder / "out.whole").read_bytes()
    assert json.loads(config.output.read_bytes().splitlines()[-1]).keys() == {
        "texts",
        "corpus_perplexity",
    }


def test_killed_where_all_was_answered_but_the_end_it_ends(folder, monkeypatch):
    config = settings(folder)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(JsonLines, "finish", lambda *_: raise_(Killed()))
        write(config)

    write(config)

    assert config.output.read_bytes() == EXPECTED


def raise_(error):
    raise error


def test_what_is_done_is_said_and_not_done_again(folder, capsys):
    config = settings(folder)
    write(config)

    model = write(config)

    assert model.windows == []
    assert "out.jsonl: done already" in capsys.readouterr().err
    assert write(settings(folder, force=True)).windows != []
    assert config.output.read_bytes() == EXPECTED


def test_texts_that_come_from_elsewhere_are_the_same_texts(folder, capsys):
    write(settings(folder))
    rows = "".join(json.dumps({"text": one}) + "\n" for one in LINES)
    (folder / "moved.jsonl").write_text(rows)

    model = write(settings(folder, input=folder / "moved.jsonl"))

    assert model.windows == []
    assert "done already" in capsys.readouterr().err


def other_model(folder):
    (folder / "model" / "config.json").write_text('{"other": 1}')
    return settings(folder)


def other_settings(folder):
    return settings(folder, pair="and this")


def other_texts(folder):
    (folder / "in.txt").write_text("\n".join(["other", *LINES[1:]]))
    return settings(folder)


def fewer_texts(folder):
    (folder / "in.txt").write_text("\n".join(LINES[:2]))
    return settings(folder)


OTHERS = [
    (other_model, "answers of another model"),
    (other_settings, "answers with other settings (--pair: None -> and this)"),
    (other_texts, "texts, and those that come now"),
    (fewer_texts, "texts, and those that come now"),
]


@pytest.mark.parametrize("stop", [7, None])
@pytest.mark.parametrize(("change", "what"), OTHERS)
def test_answers_to_something_else_are_left_alone_unless_forced(folder, change, what, stop):
    if stop is None:
        write(settings(folder))
    else:
        with pytest.raises(Killed):
            write(settings(folder), Model(stop))
    before = (folder / "out.jsonl").read_bytes()
    config = change(folder)

    found, hint = refusal(config)

    assert what in found
    assert str(config.output) in found
    assert "--force" in hint
    assert config.output.read_bytes() == before
    write(settings(folder, force=True, pair=config.pair))
    assert config.output.read_bytes().count(b"\n") in (2, 10)


def test_a_file_that_grew_after_it_was_done_is_another(folder):
    write(settings(folder))
    (folder / "in.txt").write_text("\n".join([*LINES, "one more"]))

    assert "holds answers to 10 texts" in refusal(settings(folder))[0]


def test_a_file_of_somebody_else_is_never_overwritten_unasked(folder):
    (folder / "out.jsonl").write_text("mine\n")

    found, hint = refusal(settings(folder))

    assert "is there already" in found
    assert "--force" in hint
    assert (folder / "out.jsonl").read_text() == "mine\n"


def test_an_empty_file_and_records_without_their_file_are_no_hindrance(folder):
    config = settings(folder)
    write(config)
    config.output.unlink()

    write(config)

    assert config.output.read_bytes() == EXPECTED
    empty = settings(folder, output=folder / "out.empty")
    empty.output.touch()
    write(empty)
    assert empty.output.read_bytes() == EXPECTED


def test_a_run_that_was_begun_anew_does_not_count_as_the_one_before(folder):
    """The record of the whole one must not outlive it."""
    config = settings(folder)
    write(config)
    config.output.unlink()
    with pytest.raises(Killed):
        write(config, Model(4))

    write(config)

    assert config.output.read_bytes() == EXPECTED


def test_answers_that_were_changed_or_cut_are_told(folder):
    config = settings(folder)
    write(config)
    config.output.write_bytes(EXPECTED.replace(b"text 3", b"text 4"))
    assert "has been changed since" in refusal(config)[0]

    write(settings(folder, output=folder / "out.cut"))
    cut = settings(folder, output=folder / "out.cut", force=True)
    with pytest.raises(Killed):
        write(cut, Model(7))
    cut.output.write_bytes(EXPECTED[:50])

    assert "has 50 bytes" in refusal(settings(folder, output=folder / "out.cut"))[0]


def test_a_damaged_record_is_told(folder):
    config = settings(folder)
    with pytest.raises(Killed):
        write(config, Model(4))
    (folder / "out.jsonl.progress.json").write_text("{")

    assert "out.jsonl.progress.json: damaged" in refusal(config)[0]


def test_a_line_that_cannot_be_read_keeps_what_came_before_and_can_be_mended(folder):
    config = settings(folder)
    good = config.input.read_bytes()
    config.input.write_bytes(good.replace("text 7 ü".encode(), b"text 7 \xfc"))

    found, hint = refusal(config)

    assert "in.txt: line 15 is not UTF-8" in found
    assert "UTF-8" in hint
    assert config.output.read_bytes() == b"".join(EXPECTED.splitlines(keepends=True)[:7])

    config.input.write_bytes(good)
    model = write(config)

    assert config.output.read_bytes() == EXPECTED
    assert model.windows == [LINES[6:9], LINES[9:]]


def test_a_full_disk_says_so_and_the_same_command_goes_on(folder, monkeypatch):
    config = settings(folder)
    model = Model()

    def full(file):
        if len(model.windows) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        found, hint = refusal(config, model=model)

    assert f"{config.output}: no space left" in found
    assert "same command" in hint
    assert write(config).windows == [LINES[6:9], LINES[9:]]
    assert config.output.read_bytes() == EXPECTED


@pytest.mark.parametrize(
    ("output", "what", "hint"),
    [
        ("none/out.jsonl", "is no folder", "mkdir -p"),
        ("model", "a folder, not a file", "name a file in it"),
        ("in.txt", "is the --input, too", "another --output"),
        ("link", "is the --input, too", "another --output"),
        ("/dev/null", "no ordinary file", "stdout"),
    ],
)
def test_what_cannot_be_the_output_is_told_before_a_model_is_loaded(folder, output, what, hint):
    (folder / "link").symlink_to("in.txt")

    def never():
        raise AssertionError("no model is loaded")

    config = settings(folder, output=folder / output)
    with pytest.raises(UserError) as caught:
        resume.write(config, config.output, Job(iter([]), never), Meter())

    assert f"--output {config.output}" in caught.value.what
    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize("there", [False, True])
def test_a_place_without_permission_is_told(folder, monkeypatch, there):
    config = settings(folder)
    if there:
        config.output.touch()
    denied = config.output if there else folder
    monkeypatch.setattr("os.access", lambda path, _: path != denied)

    found, hint = refusal(config)

    assert "may not be written" in found
    assert "permissions" in hint


def test_two_runs_do_not_write_into_one_file(folder):
    with (folder / ".out.jsonl.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        found, hint = refusal(settings(folder))

    assert f"{folder / 'out.jsonl'}: another run is writing there" in found
    assert "another --output" in hint


VECTORS = np.random.default_rng(0).normal(size=(10, 2, 5)).astype(np.float32)


@pytest.mark.parametrize("stop", [None, 0, 3, 7])
@pytest.mark.parametrize("layers", [1, 2])
def test_vectors_are_the_array_that_numpy_saves_also_after_a_kill(folder, layers, stop):
    config = settings(folder, mode="features", output=folder / "out.npy")
    expected = VECTORS[:, 0] if layers == 1 else VECTORS
    np.save(folder / "expected.npy", expected)

    def answers(left):
        def answer(given):
            for one in given:
                number = int(one.text.split()[1])
                if number == left:
                    raise Killed
                yield {"text": one.text, "vector": expected[number]}

        return Job(texts.read(config), lambda: answer, size=WINDOW)

    if stop is not None:
        with pytest.raises(Killed):
            resume.write(config, config.output, answers(stop), Meter())
    resume.write(config, config.output, answers(None), Meter())

    assert config.output.read_bytes() == (folder / "expected.npy").read_bytes()


def test_an_archive_is_written_whole_or_not_at_all(folder, capsys):
    config = settings(folder, mode="features", output=folder / "out.npz")

    def job(model):
        return Job(texts.read(config), lambda: model, size=WINDOW)

    def answer(given):
        yield from ({"text": one.text, "vector": VECTORS[0, 0]} for one in given)

    with pytest.raises(Killed):
        resume.write(config, config.output, job(Model(7)), Meter())
    assert names(folder) == []
    resume.write(config, config.output, job(answer), Meter())
    resume.write(config, config.output, job(answer), Meter())

    assert np.load(config.output)["vectors"].shape == (10, 5)
    assert np.load(config.output)["texts"].tolist() == LINES
    assert "done already" in capsys.readouterr().err


def test_no_vectors_are_an_empty_array(folder):
    path = folder / "out.npy"
    path.touch()
    with path.open("r+b") as file:
        ArrayRows().finish(file, 0)

    assert np.load(path).shape == (0, 0)


def test_half_a_surrogate_pair_is_written_as_its_escape():
    assert JsonLines().encode({"text": "a\ud800"}, first=True) == b'{"text": "a\\ud800"}\n'


def test_the_perplexity_of_windows_is_that_of_all_texts_to_the_bit():
    totals = (-np.random.default_rng(0).gamma(2, 50, 500)).tolist()
    texts_ = [PseudoLikelihood("", ("a",) * (1 + n % 7), (x,)) for n, x in enumerate(totals)]
    tally = Perplexities()
    for number, one in enumerate(texts_):
        if number % 64 == 0:
            state = json.loads(json.dumps(tally.state()))
            tally = Perplexities()
            tally.restore(state)
        tally.add(one.total, len(one.tokens))

    assert tally.last() == [{"texts": 500, "corpus_perplexity": corpus_perplexity(texts_)}]
    with pytest.raises(UserError, match="0 texts without a token to score"):
        Perplexities().last()


def test_right_answers_are_counted_over_a_stop():
    first, second = Accuracy(), Accuracy()
    assert first.last() == []
    first.add(right=True)
    second.restore(json.loads(json.dumps(first.state())))
    second.add(right=False)

    assert second.last() == [{"schemas": 2, "accuracy": 0.5}]
