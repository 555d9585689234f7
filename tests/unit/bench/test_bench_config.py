"""Settings that mean nothing are one clear line."""

from pathlib import Path

import pytest

from unmask.bench.config import BenchConfig
from unmask.bench.npz_config import NpzConfig
from unmask.bench.run import shared
from unmask.core.errors import UserError
from unmask.infer.engine_config import EngineConfig

FILE = Path("texts.txt")


def config(**settings):
    return BenchConfig(model=Path("model"), **settings)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"rate": 0.0}, "--rate 0: out of range"),
        ({"rate": float("nan")}, "--rate nan: out of range"),
        ({"rate": 1e9}, "--rate 1e+09 for --seconds 5: more than 1,000,000 requests"),
        ({"seconds": 0.0}, "--seconds 0: out of range"),
        ({"warmup": -1.0}, "--warmup -1: out of range"),
        ({"rounds": 0}, "--rounds 0: too small"),
        ({"batch": (1, 0)}, "--batch 0: too small"),
        ({"length": (1,)}, "--length 1: too small"),
        ({"ragged": 0}, "--ragged 0: too small"),
        ({"instances": 0}, "--instances 0: too small"),
        ({"clients": 0}, "--clients 0: too small"),
        ({"clients": 2, "rate": 1.0}, "--clients 2 with --rate 1"),
        ({"clients": 1, "instances": 2}, "--clients 1 with --instances 2"),
        ({"instances": 2, "peers": True}, "--instances 2 with --peers"),
        ({"peers_model": FILE}, "--peers-model texts.txt: no peers"),
        ({"choose": True, "clients": 2}, "--choose with --peers, --clients"),
        ({"choose": True, "engine": EngineConfig(runtime="torch")}, "--choose with --engine"),
        ({"data": FILE}, "--data texts.txt: batches of one length are drawn"),
        ({"text_column": "x", "ragged": 1}, "--text-column x: columns are those of a table"),
        ({"dump": ("npz", FILE)}, "--dump npz texts.txt: has no texts"),
        ({"dump": ("npz", FILE), "data": FILE, "batch": (1,)}, "--dump, --from with settings"),
        ({"dump": ("npz", FILE), "data": FILE, "length": (8, 9)}, "--length 8 9: samples"),
        ({"from_": ("npz", FILE)}, "--from npz texts.txt: the outputs go nowhere"),
        (
            {"from_": ("npz", FILE), "out": FILE, "length": (8,)},
            "--length 8: the files of texts.txt have theirs",
        ),
        ({"dump": ("npz", FILE), "from_": ("npz", FILE)}, "--dump npz texts.txt with --from npz"),
        ({"npz": NpzConfig(task="ner")}, "--npz flags without --dump"),
    ],
    ids=str,
)
def test_settings_that_contradict_one_another_are_refused(settings, what):
    with pytest.raises(UserError) as caught:
        config(**settings)

    assert caught.value.what.startswith(what)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("settings", "shapes"),
    [
        ({}, [(1, 128)]),
        ({"batch": (1, 8)}, [(1, 128), (8, 128)]),
        ({"length": (16, 32)}, [(1, 16), (1, 32)]),
        ({"batch": (1, 2), "length": (16, 32)}, [(1, 16), (2, 16), (1, 32), (2, 32)]),
        ({"ragged": 4}, []),
        ({"ragged": 4, "batch": (2,)}, [(2, 128)]),
    ],
    ids=str,
)
def test_shapes_are_the_product_of_batches_and_lengths(settings, shapes):
    assert config(**settings).shapes == shapes


def test_instances_share_the_threads():
    found = shared(config(instances=2, engine=EngineConfig(threads=5, streams=2)))

    assert (found.threads, found.streams) == (2, 2)


def test_more_streams_than_threads_are_refused():
    with pytest.raises(UserError) as caught:
        shared(config(instances=2, engine=EngineConfig(threads=3, streams=2)))

    assert caught.value.what == (
        "--instances 2 of --engine.streams 2: more batches at once than 3 threads"
    )
