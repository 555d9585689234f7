"""One measurement, three reports of the same numbers."""

import dataclasses
import json
import xml.etree.ElementTree as ET

import pytest

from unmask.bench import page, run, table
from unmask.bench.config import BenchConfig
from unmask.bench.records import Bench, Missing, Record
from unmask.bench.run import _report
from unmask.bench.stats import Spread
from unmask.core import machine
from unmask.core.errors import UserError
from unmask.model.heads import MaskedLM


def record(engine="unmask", case="8 x 128", speed=100.0, **changes):
    found = Record(
        engine=engine,
        runtime="openvino bf16",
        number_format="bf16",
        case=case,
        batch=8,
        load="1 caller, each waits",
        sentences_per_s=Spread(speed, 0.9 * speed, 1.1 * speed),
        tokens_per_s=Spread(128 * speed, 100 * speed, 140 * speed),
        latency_ms={
            name: Spread(value, value, value)
            for name, value in (("mean", 80.5), ("p50", 80.0), ("p90", 90.25), ("p99", 1234.5))
        },
        requests=1500,
        unanswered=0,
        peak_share=0.876,
        peak_bytes=512 << 20,
        load_s=2.34,
        warmup_s=1.02,
    )
    return dataclasses.replace(found, **changes)


def bench(records, missing=()):
    return Bench(
        model="models/<base>",
        model_sha256="0" * 64,
        parameters=124_697_433,
        command="unmask bench --model 'models/<base>'",
        made="2026-01-01T00:00:00+00:00",
        threads=2,
        instances=1,
        seconds=5.0,
        warmup=1.0,
        rounds=3,
        peaks={"bf16": 4e11},
        counted="all of it",
        machine=machine.describe(),
        records=tuple(records),
        missing=tuple(missing),
    )


WHOLE = bench(
    [
        record(),
        record("transformers-fp32", speed=7.5, peak_share=None),
        record(case="64 sentences", unanswered=3),
    ],
    [Missing("openvino-bf16", "8 x 128", "this processor | has no bf16")],
)


def test_a_row_of_the_table_says_all_that_was_measured():
    assert table.cells(record()) == (
        *("8 x 128", "unmask", "openvino bf16", "100 (90.0-110)", "12,800 (10,000-14,000)"),
        *("80.0", "90.2", "1,234", "80.5", "88%", "512", "2.3", "1.0", "1,500"),
    )


def test_what_was_not_answered_stands_beside_the_requests():
    assert table.cells(record(unanswered=3))[-1] == "1,500, 3 unanswered"


def test_the_markdown_has_a_row_for_each_record_and_every_reason():
    text = table.markdown(WHOLE)

    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 3
    assert {row.replace("\\|", "").count("|") for row in rows} == {len(table.HEAD) + 1}
    assert "openvino-bf16 did not run 8 x 128: this processor | has no bf16" in text
    assert "unmask bench --model" in text
    assert "Peak bf16: 400 G operations/s" in text


def test_the_terminal_has_the_same_cells_in_columns():
    lines = table.plain(WHOLE.records).splitlines()

    assert len(lines) == 1 + 3
    assert lines[0].startswith("case")
    for line, one in zip(lines[1:], WHOLE.records, strict=True):
        assert all(cell in line for cell in table.cells(one))


def test_the_page_is_whole_and_has_both_pictures_of_every_case():
    text = page.page(WHOLE)

    root = ET.fromstring(text.replace("<!DOCTYPE html>", ""))
    pictures = [one.get("aria-label") for one in root.iter("svg")]
    assert pictures == [
        "Sentences a second, 8 x 128: unmask 100, transformers-fp32 7.50.",
        "Sentences a second, 64 sentences: unmask 100.",
        "Latency in milliseconds, 8 x 128, P50 to P99: unmask 80.0 to 1,234, "
        "transformers-fp32 80.0 to 1,234.",
        "Latency in milliseconds, 64 sentences, P50 to P99: unmask 80.0 to 1,234.",
    ]
    assert "this processor | has no bf16" in text


def test_bars_are_as_long_as_their_numbers():
    root = ET.fromstring(page.page(WHOLE).replace("<!DOCTYPE html>", ""))
    bars = [float(one.get("width")) for one in root.iter("rect") if "bar" in one.get("class")]

    assert bars[1] / bars[0] == pytest.approx(0.075, rel=0.01)


def test_a_line_across_a_bar_is_the_range():
    root = ET.fromstring(page.page(WHOLE).replace("<!DOCTYPE html>", ""))
    bar = next(one for one in root.iter("rect") if "bar" in one.get("class"))
    across = next(one for one in root.iter("line") if one.get("class") == "median")

    left, wide = float(bar.get("x")), float(bar.get("width"))
    ends = [(float(across.get(name)) - left) / wide for name in ("x1", "x2")]
    assert ends == pytest.approx([0.9, 1.1], rel=0.01)


def test_json_goes_to_stdout_and_all_reports_to_a_folder(tmp_path, capsys):
    out = tmp_path / "a" / "b"

    _report(BenchConfig(model=tmp_path, out=out), WHOLE)

    said = capsys.readouterr()
    assert (
        json.loads(said.out)
        == json.loads((out / "bench.json").read_text())
        == (json.loads(json.dumps(WHOLE.to_json())))
    )
    assert (out / "bench.md").read_text() == table.markdown(WHOLE)
    assert (out / "bench.html").read_text() == page.page(WHOLE)
    assert "openvino-bf16 did not run" in said.err


def test_a_measurement_without_a_number_is_an_error_and_is_written_all_the_same(tmp_path, capsys):
    nothing = bench([], [Missing("unmask", "1 x 8", "no memory")])

    with pytest.raises(UserError) as caught:
        _report(BenchConfig(model=tmp_path, out=tmp_path), nothing)

    assert caught.value.what.endswith("nothing could be measured: no memory")
    assert json.loads(capsys.readouterr().out)["missing"][0]["reason"] == "no memory"
    assert "no memory" in (tmp_path / "bench.html").read_text()


def test_a_run_that_is_stopped_reports_what_it_has(model_folder, tmp_path, monkeypatch, capsys):
    def stopped(config, threads, peak, found):
        found.append(record())
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_measure", stopped)
    folder = model_folder(MaskedLM)

    with pytest.raises(KeyboardInterrupt):
        run.run(BenchConfig(model=folder, out=tmp_path))

    assert "stopped: this is what was measured until then" in capsys.readouterr().err
    assert len(json.loads((tmp_path / "bench.json").read_text())["records"]) == 1
