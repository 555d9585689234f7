"""The best of what was tried is kept, and used on the machine that it was tried on."""

import json

import pytest

from unmask.bench import choose
from unmask.bench.choose import Tried, best, chosen_table, ladder
from unmask.bench.config import BenchConfig
from unmask.bench.workloads import Case
from unmask.core.errors import UserError
from unmask.infer.choice import CHOICE_FILE, Choice, Setting, chosen, fingerprint

TRIED = [
    Tried("many", Setting("onnxruntime", 1, 256), 50.0, 9.0),
    Tried("many", Setting("openvino", 2, 512), 80.0, 12.0),
    Tried("many", Setting("openvino", 2, 128), 70.0, 8.0),
    Tried("single", Setting("onnxruntime", 1, 256), 20.0, 5.0),
    Tried("single", Setting("openvino", 2, 512), 30.0, 6.0),
    Tried("8 x 128", Setting("onnxruntime", 1, 256), 10.0, 700.0),
    Tried("8 x 128", Setting("openvino", 2, 512), 9.0, 600.0),
]


def write(folder, **changes):
    table = chosen_table(TRIED, 2) | changes
    (folder / CHOICE_FILE).write_text(json.dumps(table))
    return table


def test_many_is_by_throughput_and_single_by_latency():
    assert best(TRIED, "many").setting == Setting("openvino", 2, 512)
    assert best(TRIED, "single").setting == Setting("onnxruntime", 1, 256)
    assert best(TRIED, "8 x 128").setting == Setting("onnxruntime", 1, 256)


def test_a_choice_is_read_back(tmp_path):
    table = write(tmp_path)

    assert chosen(tmp_path) == Choice(
        many=Setting("openvino", 2, 512), single=Setting("onnxruntime", 1, 256)
    )
    assert table["shapes"]["8 x 128"]["sentences_per_s"] == 10.0
    assert len(table["tried"]) == len(TRIED)


def test_a_folder_without_a_choice_has_none(tmp_path):
    assert chosen(tmp_path) is None


@pytest.mark.parametrize(
    "other",
    [{"cpu": "another"}, {"cores": 10_000}, {"instruction_sets": ["none"]}],
    ids=lambda other: next(iter(other)),
)
def test_the_choice_of_another_machine_is_not_used(tmp_path, other):
    write(tmp_path, machine=fingerprint() | other)

    assert chosen(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format": 1}', "damaged"),
        ('{"format": 2}', "format 2, this version reads format 1"),
    ],
)
def test_a_damaged_choice_is_one_clear_line(tmp_path, content, what):
    (tmp_path / CHOICE_FILE).write_text(content)

    with pytest.raises(UserError) as caught:
        chosen(tmp_path)

    assert what in caught.value.what
    assert "--choose" in caught.value.hint


@pytest.mark.parametrize(
    "setting",
    [
        {"runtime": "tvm", "streams": 1, "batch_tokens": 1},
        {"runtime": "torch", "streams": 0, "batch_tokens": 1},
        {"runtime": "torch", "streams": 1, "batch_tokens": "many"},
        {"runtime": "torch", "streams": 1},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_damage(tmp_path, setting):
    write(tmp_path, single=setting)

    with pytest.raises(UserError, match="damaged"):
        chosen(tmp_path)


@pytest.mark.parametrize(
    ("cores", "streams"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])]
)
def test_streams_are_tried_up_to_all_cores(cores, streams):
    assert ladder(cores) == streams


def test_every_runtime_streams_and_batch_is_tried(tmp_path, monkeypatch):
    asked = []

    def told(config, engine, some, *, clients, is_ragged):
        asked.append((engine.runtime, engine.streams, engine.batch_tokens, clients, is_ragged))
        assert engine.threads == 2
        return []

    def tried(work, setting, record):
        raise AssertionError(work)

    model = tmp_path
    monkeypatch.setattr(choose, "_measured", told)
    monkeypatch.setattr(choose, "_told", tried)
    monkeypatch.setattr(choose.weights, "read_config", lambda _: None)
    monkeypatch.setattr(choose, "cases", lambda _: [])
    monkeypatch.setattr(choose, "ragged", lambda *_: Case("x", (), ragged=True))
    monkeypatch.setattr(choose, "runtimes", lambda _: ("onnxruntime", "torch"))
    monkeypatch.setattr(choose.machine_engine, "cores", lambda: 2)

    with pytest.raises(UserError) as caught:
        choose.run(BenchConfig(model=model, choose=True))

    assert caught.value.what.endswith("no runtime could run it")
    assert asked == [
        (runtime, streams, tokens, None, True)
        for runtime, streams in (("onnxruntime", 1), ("onnxruntime", 2), ("torch", 1))
        for tokens in (128, 256, 512, 1024)
    ]
    assert not (tmp_path / CHOICE_FILE).exists()
