"""A file of answers that was changed while it grew, or begun otherwise, is not gone on with."""

import io
import json
import sys

import numpy as np
import pytest

from unmask.bench.choose import Tried, chosen_table
from unmask.core.errors import UserError
from unmask.infer import resume, run, texts
from unmask.infer.choice import CHOICE_FILE, Setting
from unmask.infer.config import PredictConfig
from unmask.infer.reading import Meter
from unmask.infer.streaming import Job, Size

LINES = [f"text {number}" for number in range(10)]
TRIED = [Tried(work, Setting("torch", 1, 77), 1.0, 1.0) for work in ("many", "single")]


class Killed(BaseException):
    """As a signal."""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "in.txt").write_text("\n".join(LINES) + "\n")
    return tmp_path


def settings(folder, name="out.jsonl", **more):
    given = {"model": folder / "model", "input": folder / "in.txt", "output": folder / name}
    return PredictConfig(**(given | more))


def write(config, killed_after=None):
    done = []

    def answers(given):
        for one in given:
            if len(done) == killed_after:
                raise Killed
            done.append(one)
            vector = np.full(3, int(one.text.split()[1]), np.float32)
            yield {"vector": vector} if config.mode == "features" else {"text": one.text}

    job = Job(texts.read(config), lambda: answers, size=Size(3, 1 << 20))
    resume.write(config, config.output, job, Meter())


def killed(config, after=7):
    with pytest.raises(Killed):
        write(config, after)


def refusal(config):
    with pytest.raises(UserError) as caught:
        write(config)
    assert "--force" in caught.value.hint
    return caught.value.what


def test_answers_changed_while_the_file_grew_are_told(folder):
    config = settings(folder)
    killed(config)
    config.output.write_bytes(config.output.read_bytes().replace(b"text 3", b"text 4"))
    before = config.output.read_bytes()

    assert "bytes have been changed since they were written" in refusal(config)
    assert config.output.read_bytes() == before


def test_rows_changed_while_the_array_grew_are_told_and_a_written_header_is_no_change(folder):
    config = settings(folder, "out.npy", mode="features")
    killed(config)
    data = bytearray(config.output.read_bytes())
    whole = settings(folder, "whole.npy", mode="features")
    write(whole)
    head = whole.output.read_bytes()[:128]
    assert head != data[:128]

    config.output.write_bytes(data[:130] + b"x" + data[131:])
    assert "have been changed" in refusal(config)

    config.output.write_bytes(head + data[128:])
    write(config)
    assert config.output.read_bytes() == whole.output.read_bytes()


def test_killed_twice_the_answers_of_both_runs_are_known(folder):
    config = settings(folder)
    killed(config, 4)
    killed(config, 4)
    write(config)

    assert config.output.read_text() == "".join(json.dumps({"text": one}) + "\n" for one in LINES)


def choose(folder):
    (folder / "model" / CHOICE_FILE).write_text(json.dumps(chosen_table(TRIED, 1)))


def test_a_choice_made_meanwhile_is_told_as_answers_would_differ(folder):
    config = settings(folder)
    killed(config)
    choose(folder)

    assert f"was begun when {CHOICE_FILE} said otherwise" in refusal(config)


def test_a_choice_made_afterwards_makes_no_other_model_and_no_other_answers(folder, capsys):
    config = settings(folder)
    write(config)
    choose(folder)

    write(config)

    assert "done already" in capsys.readouterr().err


def test_a_folder_without_a_model_is_one_clear_line(folder):
    with pytest.raises(UserError, match=r"holds neither config.json nor model.onnx"):
        write(settings(folder, model=folder / "none"))


@pytest.mark.parametrize(
    ("text", "encoding"), [("half \ud800", "utf-8"), ("字", "ascii"), ("字", "utf-8")]
)
def test_stdout_that_cannot_hold_a_character_gets_its_escape(monkeypatch, text, encoding):
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding=encoding))

    run._tell({"text": text})

    assert json.loads(held.getvalue()) == {"text": text}


def test_streams_that_are_closed_are_one_clear_line(folder, monkeypatch):
    config = PredictConfig(model=folder / "model")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UserError, match="stdin is closed"):
        next(texts.read(config))

    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UserError, match="stdout is closed"):
        run._print(config, Job(iter([]), lambda: iter), Meter())


def test_half_a_character_is_one_clear_line(folder):
    (folder / "in.jsonl").write_text('{"text": "whole"}\n{"text": "half \\ud800"}\n')
    found = texts.read(settings(folder, input=folder / "in.jsonl"))

    assert next(found).text == "whole"
    with pytest.raises(UserError, match=r"text 2: '\\ud800' is no character"):
        next(found)
