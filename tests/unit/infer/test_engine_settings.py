"""What was chosen on this machine is used with as many threads, and one shape keeps its batches."""

import json

import pytest
import torch

from unmask.bench.choose import Tried, chosen_table
from unmask.core import manifests
from unmask.core.engine import cores
from unmask.core.errors import UserError
from unmask.infer.backend import max_length, open_backend
from unmask.infer.choice import CHOICE_FILE, Setting
from unmask.infer.engine_config import AS_MADE, EngineConfig
from unmask.infer.pipelines import Pipeline
from unmask.model import weights

CHOSEN = Setting("torch", 1, 77)
TRIED = [Tried(work, CHOSEN, 1.0, 1.0) for work in ("many", "single")]


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tiny, tmp_path):
    weights.save(tiny.model, tmp_path)
    tiny.tokenizer.save(tmp_path, model_max_length=48)
    return tmp_path


def choose(folder, threads):
    (folder / CHOICE_FILE).write_text(json.dumps(chosen_table(TRIED, threads)))


def of_one_shape(folder, batch, length):
    manifests.write(folder, "export", {}, [], {"shape": [batch, length]})


@pytest.mark.parametrize(
    ("chosen_with", "asked", "used"),
    [
        (cores(), None, True),
        (cores() + 1, None, False),
        (1, 1, True),
        (1, 2, False),
    ],
)
def test_a_choice_is_used_with_the_threads_it_was_made_with(folder, chosen_with, asked, used):
    choose(folder, chosen_with)

    backend = open_backend(folder, EngineConfig(threads=asked), many=True)

    assert (backend.batch_tokens == 77) == used


def test_a_damaged_choice_is_no_hindrance_where_all_is_said(folder):
    (folder / CHOICE_FILE).write_text("{")

    with pytest.raises(UserError, match="damaged"):
        open_backend(folder, AS_MADE, many=True)
    said = EngineConfig(runtime="torch", streams=1, batch_tokens=128, threads=1)
    assert open_backend(folder, said, many=True).batch_tokens == 128


def test_a_choice_is_not_used_on_a_card(folder, monkeypatch):
    choose(folder, cores())
    monkeypatch.setattr("unmask.train.precision.resolve_device", lambda _: torch.device("cuda"))

    assert open_backend(folder, AS_MADE, many=True).batch_tokens != 77


def test_batches_of_another_size_than_the_one_shape_are_refused(folder):
    of_one_shape(folder, 2, 8)

    with pytest.raises(UserError) as caught:
        open_backend(folder, EngineConfig(batch_tokens=64), many=True)

    assert caught.value.what.startswith("--engine.batch-tokens 64: ")
    assert caught.value.what.endswith("was exported for batches of 2 x 8")
    assert open_backend(folder, EngineConfig(batch_tokens=16), many=True).batch_tokens == 16


def test_texts_are_cut_to_the_one_shape_and_that_is_said(folder, tiny):
    of_one_shape(folder, 2, 8)
    text = f"the {tiny.mask} {'cat ' * 40}"

    (answer,) = Pipeline.open(folder)([text])

    assert answer["truncated"]
    assert len(answer["masks"]) == 1
    assert max_length(folder) == 8


def test_without_one_shape_the_longest_sequence_is_that_of_the_model(folder):
    assert max_length(folder) == 48
