"""`unmask bench` by the real command line: a measurement, a choice, files of inputs, mistakes."""

import json

import numpy as np
import pytest

from .answers import said

pytestmark = pytest.mark.e2e

QUICK = ("--seconds", "0.1", "--warmup", "0", "--rounds", "2", "--engine.threads", "1")
MODEL = ("--model", "finetune/model")


@pytest.fixture(scope="module")
def tuned(line):
    """The line, with a file of texts."""
    lines = (line.folder / "task" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(row) for row in lines]
    texts = "".join(f"{row['text']}\n" for row in rows)
    (line.folder / "texts.txt").write_text(texts, encoding="utf-8")
    return line


def test_a_measurement_is_json_a_table_and_a_page(tuned):
    done = tuned.good(
        *("bench", *MODEL, *QUICK, "--batch", "1", "2", "--length", "16", "--ragged", "8"),
        *("--data", "texts.txt", "--out", "speed"),
    )

    found = json.loads(done.stdout)
    records = found["records"]
    assert [one["case"] for one in records][:2] == ["1 x 16", "2 x 16"]
    assert records[2]["case"].startswith("8 sentences, ")
    assert {one["runtime"] for one in records} == {"torch fp32"}
    for one in records:
        speed, latency = one["sentences_per_s"], one["latency_ms"]
        assert 0 < speed["low"] <= speed["median"] <= speed["high"]
        assert 0 < latency["p50"]["median"] <= latency["p90"]["median"] <= latency["p99"]["median"]
        assert one["peak_bytes"] > 50_000_000
        assert one["tokens_per_s"]["median"] > speed["median"]
        assert 0 < one["peak_share"] < 1.5
    assert found["missing"] == []
    assert found["command"].startswith("unmask bench --model finetune/model")
    assert json.loads((tuned.folder / "speed" / "bench.json").read_text()) == found
    assert "1 x 16" in done.stderr
    assert "| 1 x 16 | unmask |" in (tuned.folder / "speed" / "bench.md").read_text()
    assert "<svg" in (tuned.folder / "speed" / "bench.html").read_text()


def test_requests_that_come_at_a_rate_are_answered_by_several_processes(tuned):
    done = tuned.good(
        *("bench", *MODEL, "--length", "16", "--instances", "2", "--rate", "40"),
        *("--seconds", "0.5", "--warmup", "0", "--rounds", "1", "--engine.threads", "2"),
    )

    (one,) = json.loads(done.stdout)["records"]
    assert one["load"] == "40 requests/s, Poisson"
    assert one["requests"] == pytest.approx(20, abs=18)


def test_a_choice_is_written_into_the_model_folder(tuned):
    done = tuned.good("bench", *MODEL, *QUICK, "--choose", "--data", "texts.txt", "--ragged", "8")

    table = json.loads(done.stdout)
    place = tuned.folder / "finetune" / "model" / "choice.json"
    assert json.loads(place.read_text()) == table
    assert table["many"]["runtime"] == table["single"]["runtime"] == "torch"
    assert [one["setting"]["batch_tokens"] for one in table["tried"]][:4] == [128, 256, 512, 1024]
    place.unlink()


def test_inputs_are_written_and_run(tuned):
    table = ("--data", "task/dev.jsonl", "--npz.task", "table")
    assert said(tuned, "bench", *MODEL, *table, "--dump", "npz", "inputs").code == 0
    done = said(tuned, "bench", *MODEL, "--from", "npz", "inputs", "--out", "outputs")

    assert done.code == 0, done.talk
    outputs = sorted((tuned.folder / "outputs").glob("*.npz"))
    listed = (tuned.folder / "inputs" / "npz_datalist.txt").read_text().splitlines()
    assert len(outputs) == len(listed) == 40
    assert np.load(outputs[0])["output_0"].shape == (1, 2)
    data = ("evaluate", *MODEL, "--data", "task/dev.jsonl")
    scored, computed = (
        json.loads(said(tuned, *data, *flags).out) for flags in (("--logits", "outputs"), ())
    )
    assert scored == computed


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ((*MODEL, "--rate", "0"), "--rate 0: out of range"),
        ((*MODEL, "--length", "64"), "--length 64: finetune/model reads at most 32 tokens"),
        ((*MODEL, "--ragged", "8", "--data", "empty.txt"), "empty.txt: has no texts"),
        ((*MODEL, "--ragged", "8", "--data", "none.txt"), "none.txt: no such file"),
        (
            (*MODEL, "--engine.streams", "2", "--instances", "2", "--engine.threads", "2"),
            "more batches at once than 2 threads",
        ),
        (("--model", "task"), "task: holds neither config.json nor model.onnx"),
        ((*MODEL, "--from", "npz", "none", "--out", "x"), "none: no such folder"),
        ((*MODEL, "--data", "texts.txt"), "no text is read"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_one_clear_line(tuned, flags, error):
    (tuned.folder / "empty.txt").write_text("\n")

    found, _ = said(tuned, "bench", *flags).complaint

    assert error in found


def test_an_engine_that_cannot_run_is_an_error_with_its_reason(tuned):
    done = tuned("bench", *MODEL, *QUICK, "--length", "16", "--engine.runtime", "openvino")

    assert done.returncode == 2
    error, _hint = done.stderr.splitlines()[-2:]
    assert error.startswith("error: finetune/model: nothing could be measured: --engine.runtime")
    assert json.loads(done.stdout)["missing"][0]["engine"] == "unmask"
