"""Settings that cannot work are refused with one line and a hint."""

from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.finetune.config import (
    ColumnsConfig,
    EntitiesConfig,
    FinetuneConfig,
    WindowsConfig,
)

PATHS = {"data": Path("d"), "model": Path("m"), "out": Path("o")}


@pytest.mark.parametrize(
    ("flags", "what", "hint"),
    [
        ({"steps": 0}, "--steps 0: too small", "give 1 or more"),
        ({"batch": 0}, "--batch 0: too small", "give 1 or more"),
        ({"log_every": 0}, "--log-every 0: too small", "give 1 or more"),
        ({"evaluate_every": 0}, "--evaluate-every 0: too small", "give 1 or more"),
        ({"patience": 0}, "--patience 0: too small", "give 1 or more"),
        ({"warmup_steps": -1}, "--warmup-steps -1: too small", "give 0 or more"),
        ({"frozen_layers": -1}, "--frozen-layers -1: too small", "give 0 or more"),
        ({"restarts": -1}, "--restarts -1: too small", "give 0 or more"),
        ({"max_length": 7}, "--max-length 7: too small", "give 8 or more"),
        ({"micro_tokens": 7}, "--micro-tokens 7: too small", "give 8 or more"),
        ({"epochs": 0.0}, "--epochs 0: out of range", "must be positive"),
        ({"dropout": 1.0}, "--dropout 1: out of range", "must be in [0, 1)"),
        ({"dropout": -0.1}, "--dropout -0.1: out of range", "must be in [0, 1)"),
        ({"warmup_share": 1.5}, "--warmup-share 1.5: out of range", "from 0 to 1"),
        ({"layer_decay": 0.0}, "--layer-decay 0: out of range", "above 0"),
        ({"layer_decay": 1.1}, "--layer-decay 1.1: out of range", "above 0"),
        ({"fold": 1}, "--fold 1: there are 1", "give --folds alone"),
        (
            {"fold": 3, "folds": 3},
            "--fold 3: there are 3",
            "give --folds alone",
        ),
        (
            {"task": "rte", "columns": ColumnsConfig(text="t")},
            "--columns flags with --task rte: they are for",
            "leave them out",
        ),
        (
            {"windows": WindowsConfig(stride=9)},
            "--windows flags with --task table: they are for squad, squad2, cmrc",
            "leave them out",
        ),
        (
            {"entities": EntitiesConfig(word=1)},
            "--entities flags with --task table: they are for ner",
            "leave them out",
        ),
        (
            {"class_weights": "balanced", "task": "stsb"},
            "--class-weights balanced: what --task stsb learns is not one class an example",
            "leave it out",
        ),
        (
            {"class_weights": "balanced", "columns": ColumnsConfig(target="several")},
            "--class-weights balanced: what --task table learns is not one class an example",
            "leave it out",
        ),
        (
            {"folds": 3, "task": "rte"},
            "--folds 3: --task rte has a dev set of its own",
            "give --task table",
        ),
    ],
    ids=str,
)
def test_a_setting_that_cannot_work_is_refused(flags, what, hint):
    with pytest.raises(UserError) as caught:
        FinetuneConfig(**PATHS | flags)

    assert caught.value.what.startswith(what)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("name", ["seeds", "folds", "at_once"])
def test_there_is_at_least_one_of_many(name):
    with pytest.raises(UserError, match=f"--{name.replace('_', '-')} 0: too small"):
        FinetuneConfig(**PATHS, **{name: 0})


def test_seeds_and_folds_do_not_vary_together():
    with pytest.raises(UserError, match="--folds 2 with --seeds 3: too many ways"):
        FinetuneConfig(**PATHS, folds=2, seeds=3)


@pytest.mark.parametrize("name", ["stride", "question", "answer"])
def test_windows_have_a_size(name):
    with pytest.raises(UserError, match=f"--windows.{name} 0: too small"):
        WindowsConfig(**{name: 0})


@pytest.mark.parametrize(
    "flags",
    [
        {"warmup_steps": 0, "frozen_layers": 0, "restarts": 0},
        {"dropout": 0.0, "layer_decay": 1.0, "warmup_share": 0.0, "epochs": 0.1},
        {"fold": 2, "folds": 3},
        {"class_weights": "balanced", "task": "rte"},
        {"task": "squad", "windows": WindowsConfig(stride=9)},
        {"task": "ner", "entities": EntitiesConfig(word=1)},
    ],
    ids=str,
)
def test_settings_at_the_edge_of_what_works_are_taken(flags):
    FinetuneConfig(**PATHS | flags)


def test_a_separator_is_for_several_labels():
    assert ColumnsConfig(target="several", separator=",").separator == ","
    with pytest.raises(UserError, match="separator ',' with"):
        ColumnsConfig(separator=",")
