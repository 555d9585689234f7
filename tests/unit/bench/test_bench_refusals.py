"""What a measurement would ignore, lose or mistake is told."""

import importlib
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from unmask.bench import page, run
from unmask.bench.config import BenchConfig
from unmask.bench.measure import Entrant, Protocol, Task, measured
from unmask.bench.npz import source
from unmask.bench.npz_config import NpzConfig
from unmask.bench.ours import number_format
from unmask.bench.peers.batching import answering
from unmask.bench.workloads import Case, cases, texts
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.finetune.sequences import Sequences
from unmask.infer.engine_config import EngineConfig
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import SequenceClassifier
from unmask.model.init import initialise

FILE = Path("texts.txt")
DUMP = {"dump": ("npz", FILE), "data": FILE}
FROM = {"from_": ("npz", FILE), "out": Path("out")}


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (DUMP | {"out": FILE}, "--dump npz texts.txt with --out texts.txt"),
        (DUMP | {"engine": EngineConfig(threads=1)}, "--dump npz texts.txt with --engine flags"),
        (
            DUMP | {"text_column": "a", "npz": NpzConfig(task="table")},
            "--text-column a with --npz flags",
        ),
        (DUMP | {"seconds": 2.0}, "--dump, --from with settings of a measurement, --seconds:"),
        (FROM | {"rounds": 1}, "--dump, --from with settings of a measurement, --rounds:"),
        (FROM | {"seed": 1}, "--dump, --from with settings of a measurement, --seed:"),
        ({"choose": True, "out": FILE}, "--choose with --out texts.txt"),
    ],
    ids=str,
)
def test_settings_that_would_be_ignored_are_refused(settings, what):
    with pytest.raises(UserError) as caught:
        BenchConfig(model=Path("model"), **settings)

    assert caught.value.what.startswith(what)
    assert caught.value.hint


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny classifier that reads at most 40 tokens."""
    config = ModelConfig(
        family="roberta",
        vocabulary=120,
        layers=1,
        width=32,
        heads=4,
        feed_forward=64,
        max_length=40,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )
    found = SequenceClassifier(config, ("no", "yes"))
    initialise(found, 0)
    folder = tmp_path_factory.mktemp("model")
    weights.save(found, folder)
    return folder


@pytest.mark.parametrize("what", ["measurement", "samples"])
def test_an_out_that_is_a_file_is_told_before_anything_is_computed(
    model, tmp_path, monkeypatch, what
):
    out = tmp_path / "out"
    out.write_text("mine")
    monkeypatch.setattr(run, "_measure", lambda *_: pytest.fail("it was measured"))
    settings = {"out": out}
    if what == "samples":
        sample(tmp_path, {"input_ids": [[5, 6]], "attention_mask": [[1, 1]]})
        settings["from_"] = ("npz", tmp_path)

    with pytest.raises(UserError, match=r"--out .*out: a file, not a folder"):
        run.run(BenchConfig(model=model, **settings))


def sample(folder, arrays):
    np.savez(folder / "000000.npz", **{name: np.array(one) for name, one in arrays.items()})


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        (
            {"input_ids": [[5, 6], [7, 8]], "attention_mask": [[1, 1], [1, 1]]},
            "input_ids is int64 of shape (2, 2), no whole numbers of one sample",
        ),
        (
            {"input_ids": [[5.5, 6.0]], "attention_mask": [[1, 1]]},
            "input_ids is float64 of shape (1, 2)",
        ),
        (
            {"input_ids": [[5, 6]], "attention_mask": [[1, 1]], "token_type_ids": [["a", "b"]]},
            "token_type_ids is <U1",
        ),
    ],
    ids=str,
)
def test_samples_of_another_form_are_one_clear_line(tmp_path, arrays, what):
    sample(tmp_path, arrays)

    with pytest.raises(UserError) as caught:
        source.read(tmp_path)

    assert what in caught.value.what


def test_an_array_that_is_no_archive_is_one_clear_line(tmp_path):
    with (tmp_path / "000000.npz").open("wb") as file:
        np.save(file, np.zeros(3))

    with pytest.raises(UserError, match=r"000000.npz: damaged"):
        source.read(tmp_path)


@pytest.mark.parametrize(
    ("ids", "types", "what"),
    [([5, 6], [0, 1], "token type 1, and "), ([-3, 6], [0, 0], "id -3, and ")],
)
def test_numbers_that_the_model_does_not_have_are_refused(model, tmp_path, ids, types, what):
    arrays = {"input_ids": [ids], "attention_mask": [[1, 1]], "token_type_ids": [types]}
    sample(tmp_path, arrays)
    config = BenchConfig(model=model, from_=("npz", tmp_path), out=tmp_path / "out")

    with pytest.raises(UserError) as caught:
        source.run(config, tmp_path)

    assert what in caught.value.what


def test_samples_of_a_folder_without_a_list_are_in_the_order_of_their_numbers(tmp_path):
    for number in range(2, 12):
        arrays = {"input_ids": [[number]], "attention_mask": [[1]]}
        np.savez(tmp_path / f"{number}.npz", **{key: np.array(one) for key, one in arrays.items()})

    assert source.read(tmp_path).sequences.ids_T.tolist() == list(range(2, 12))


def test_lines_end_where_predict_ends_them(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes("one\u2028still one\r\n\ntwo\x0cstill two\n".encode())

    assert texts(path, None) == ["one\u2028still one", "two\x0cstill two"]


def test_an_export_of_one_shape_is_measured_at_lengths_that_it_takes(model, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    for path in model.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifests.write(folder, "export", {}, [], {"shape": [2, 16]})

    fixed, ragged = cases(BenchConfig(model=folder, batch=(1,), ragged=64))

    assert fixed.name == "1 x 16"
    assert ragged.lengths.max() == 16
    with pytest.raises(UserError, match=r"--length 17: .* reads at most 16 tokens"):
        cases(BenchConfig(model=folder, length=(17,)))


def test_the_number_format_of_one_shape_is_that_of_its_backend(model):
    assert number_format(model, "openvino bf16, 8 x 128") == "bf16"


def test_a_peer_holds_the_outputs_of_one_batch():
    class Output:
        alive = 0

        def __init__(self):
            Output.alive += 1
            most.append(Output.alive)

        def __del__(self):
            Output.alive -= 1

    most = []
    answer = answering(lambda _: Output(), "fours", 1)
    answer(Sequences.of([[5, 6]] * 16, [[0, 0]] * 16))

    assert len(most) == 4
    assert max(most) == 2


STUB = '''
import dataclasses
from unmask.bench.worker import Engine

@dataclasses.dataclass(frozen=True)
class Reading:
    """Reads up to so many tokens."""
    most: int

    def open(self):
        return Engine("stub fp32", "fp32", 1, self.answer)

    def answer(self, sequences):
        if sequences.lengths_N.max() > self.most:
            raise ValueError("too long")
'''


def test_an_engine_that_failed_is_missing_in_the_later_cases_too(tmp_path, monkeypatch):
    (tmp_path / "reading_engine.py").write_text(STUB)
    monkeypatch.syspath_prepend(str(tmp_path))
    reading = importlib.import_module("reading_engine").Reading
    tasks = [
        Task(
            Case(f"1 x {length}", (Sequences.of([[5] * length], [[0] * length]),), ragged=False),
            np.ones((1, 3)),
        )
        for length in (4, 16, 8)
    ]
    protocol = Protocol(seconds=0.02, warmup=0.0, rounds=1)

    found = list(measured([Entrant("short", reading(10))], tasks, protocol, lambda _: None))

    sys.modules.pop("reading_engine")
    record, missing = found
    assert (record.case, missing.case, missing.reason) == (
        "1 x 4",
        "1 x 16, 1 x 8",
        "ValueError: too long",
    )


def test_rounds_that_cannot_be_counted_leave_the_others_in(tmp_path, monkeypatch):
    (tmp_path / "reading_engine.py").write_text(STUB)
    monkeypatch.syspath_prepend(str(tmp_path))
    reading = importlib.import_module("reading_engine").Reading
    counted = importlib.import_module("unmask.bench.counting").counted
    seen = []

    def first_not(*words):
        seen.append(words)
        if len(seen) == 1:
            raise UserError("rounds that are not at the same time", "give more --seconds")
        return counted(*words)

    monkeypatch.setattr("unmask.bench.measure.counted", first_not)
    task = Task(Case("1 x 2", (Sequences.of([[5, 6]], [[0, 0]]),), ragged=False), np.ones((1, 3)))
    protocol = Protocol(seconds=0.02, warmup=0.0, rounds=1)
    entrants = [Entrant("one", reading(10)), Entrant("two", reading(10))]

    missing, record = measured(entrants, [task], protocol, lambda _: None)

    sys.modules.pop("reading_engine")
    assert missing.reason == "rounds that are not at the same time; give more --seconds"
    assert record.engine == "two"


def test_a_choice_is_not_looked_for_on_a_card(model, monkeypatch):
    monkeypatch.setattr(run, "computing", lambda _: "cuda")

    with pytest.raises(UserError, match="runs on a card here"):
        run.run(BenchConfig(model=model, choose=True))


def test_a_folder_without_weights_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(run, "_measure", lambda *_: pytest.fail("it was measured"))

    with pytest.raises(UserError, match=r"holds no model\.safetensors"):
        run.run(BenchConfig(model=tmp_path))


def test_names_of_wide_letters_are_not_cut_off():
    record = mock.Mock(engine="unmask")
    drawn_width = 46.0  # of this word at 12 pixels, as Chromium draws it

    assert page._left([record]) - 7 - drawn_width > 0
