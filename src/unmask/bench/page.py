"""The measurement as a page: sentences a second, and latency, one picture for each case."""

import json
from collections.abc import Iterator
from itertools import groupby

from unmask.bench.records import Bench, Record
from unmask.bench.table import HEAD, cells, facts, notes, number
from unmask.report import scale
from unmask.report.frame import line, svg
from unmask.report.labels import shortened, width, xml
from unmask.report.page import page as whole_page
from unmask.report.section import Picture, Section, Table
from unmask.report.summary import Summary

WIDE, ROW, TOP, RIGHT = 560.0, 26.0, 8.0, 478.0
NAMES = 36
"""Letters of an engine's name, at most."""
PERCENTILES = (("p50", "a"), ("p90", "b"), ("p99", "c"))


def page(bench: Bench) -> str:
    """The page, which needs nothing beside it."""
    name = bench.model.rstrip("/").rpartition("/")[2] or bench.model
    summary = Summary(
        f"{len(bench.records)} measured, {len(bench.missing)} did not run",
        facts(bench),
        [(f"{one.case}, {one.engine}", _headline(one)) for one in bench.records],
        "bench",
    )
    by_case = [(case, list(some)) for case, some in groupby(bench.records, lambda x: x.case)]
    sections = [
        Section("Throughput", tuple(_throughput(*one) for one in by_case)),
        Section("Latency", tuple(_latency(*one) for one in by_case)),
        Section("Numbers", (), tuple(notes(bench)), Table(HEAD, tuple(map(cells, bench.records)))),
    ]
    settings = [("machine", json.dumps(bench.machine, indent=2))]
    return whole_page(name, summary, sections, [], settings)


def _headline(record: Record) -> str:
    share = "" if record.peak_share is None else f", {record.peak_share:.0%} of peak"
    return f"{number(record.sentences_per_s.median)} sentences/s{share}"


def _throughput(case: str, records: list[Record]) -> Picture:
    medians = [record.sentences_per_s.median for record in records]
    rows = tuple(
        (one.engine, *(number(x) for x in (one.sentences_per_s.median, *_ends(one))))
        for one in records
    )
    told = ", ".join(f"{row[0]} {row[1]}" for row in rows)
    return Picture(
        title=case,
        about="sentences a second: median and range of the rounds",
        drawing=svg(
            _bars(records, max(max(medians), *(high for _, high in map(_ends, records)))),
            f"Sentences a second, {case}: {told}.",
            width=WIDE,
            height=_height(records),
        ),
        numbers=Table(("engine", "median", "lowest", "highest"), rows),
    )


def _ends(record: Record) -> tuple[float, float]:
    return record.sentences_per_s.low, record.sentences_per_s.high


def _latency(case: str, records: list[Record]) -> Picture:
    names = [name for name, _ in PERCENTILES]
    rows = tuple(
        (one.engine, *(number(one.latency_ms[name].median) for name in names)) for one in records
    )
    told = ", ".join(f"{row[0]} {row[1]} to {row[-1]}" for row in rows)
    most = max(one.latency_ms["p99"].median for one in records)
    return Picture(
        title=case,
        about="milliseconds a request: P50, P90 and P99",
        drawing=svg(
            _dots(records, most),
            f"Latency in milliseconds, {case}, P50 to P99: {told}.",
            width=WIDE,
            height=_height(records),
        ),
        numbers=Table(("engine", "P50 ms", "P90 ms", "P99 ms"), rows),
        legend=tuple((f"{look} dot", name.upper()) for name, look in PERCENTILES),
    )


def _bars(records: list[Record], most: float) -> Iterator[str]:
    """A bar for each engine, its number beside it, and its range as a line."""
    left, ruler = _left(records), scale.linear(0.0, most)
    for place, record in enumerate(records):
        at, look = TOP + ROW * place, "a" if record.engine.startswith("unmask") else "f"
        spread = record.sentences_per_s
        ends = [left + ruler.share(x) * (RIGHT - left) for x in (*_ends(record), spread.median)]
        yield _name(record, left, at)
        yield (
            f'<rect class="bar {look}" x="{left:.1f}" y="{at + 4:.1f}" '
            f'width="{max(1.0, ends[2] - left):.1f}" height="{ROW - 8:.1f}"/>'
        )
        yield line("median", (ends[0], max(ends[1], ends[0] + 1)), (at + ROW / 2, at + ROW / 2))
        yield (
            f'<text x="{max(ends) + 6:.1f}" y="{at + ROW / 2 + 4:.1f}">{number(spread.median)}'
            "</text>"
        )
    yield line("floor", (left, left), (TOP, TOP + ROW * len(records)))


def _dots(records: list[Record], most: float) -> Iterator[str]:
    """A dot for each percentile of each engine, on one ruler."""
    left, ruler = _left(records), scale.linear(0.0, most)
    floor = TOP + ROW * len(records)
    for tick in ruler.ticks:
        x = left + ruler.share(tick) * (RIGHT - left)
        yield line("grid", (x, x), (TOP, floor))
        label = scale.short(tick)
        yield f'<text x="{x:.1f}" y="{floor + 16:.1f}" text-anchor="middle">{label}</text>'
    for place, record in enumerate(records):
        at = TOP + ROW * place + ROW / 2
        values = [record.latency_ms[name].median for name, _ in PERCENTILES]
        places = [left + ruler.share(value) * (RIGHT - left) for value in values]
        yield _name(record, left, at - ROW / 2)
        yield line("tick", (places[0], places[-1]), (at, at))
        for x, value, (name, look) in zip(places, values, PERCENTILES, strict=True):
            title = f"{record.engine}, {name.upper()}: {number(value)} ms"
            yield (
                f'<circle class="dot {look}" cx="{x:.1f}" cy="{at:.1f}" r="4.5">'
                f"<title>{xml(title)}</title></circle>"
            )


def _name(record: Record, left: float, at: float) -> str:
    return (
        f'<text x="{left - 7:.1f}" y="{at + ROW / 2 + 4:.1f}" text-anchor="end">'
        f"{xml(shortened(record.engine, NAMES))}</text>"
    )


def _left(records: list[Record]) -> float:
    # Some letters, such as those of unmask, are wider than the usual one.
    return 12 + 1.15 * max(width(shortened(record.engine, NAMES)) for record in records)


def _height(records: list[Record]) -> float:
    return TOP + ROW * len(records) + 24
