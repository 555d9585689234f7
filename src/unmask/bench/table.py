"""Records as a table: for a terminal, and as Markdown."""

from collections.abc import Sequence

from unmask.bench.records import Bench, Record
from unmask.bench.stats import Spread

MB = 1 << 20
HEAD = (
    *("case", "engine", "runtime", "sentences/s", "tokens/s", "P50 ms", "P90 ms", "P99 ms"),
    *("mean ms", "of peak", "memory MB", "load s", "warm-up s", "requests"),
)
WORDS = 3
"""Columns of words; the others are numbers."""


def cells(record: Record) -> tuple[str, ...]:
    """One record as a row of the table."""
    latency = record.latency_ms
    unanswered = f", {record.unanswered:,} unanswered" if record.unanswered else ""
    return (
        record.case,
        record.engine,
        record.runtime,
        ranged(record.sentences_per_s),
        ranged(record.tokens_per_s),
        *(ranged(latency[name]) for name in ("p50", "p90", "p99", "mean")),
        "" if record.peak_share is None else f"{record.peak_share:.0%}",
        f"{record.peak_bytes / MB:,.0f}",
        f"{record.load_s:.1f}",
        f"{record.warmup_s:.1f}",
        f"{record.requests:,}{unanswered}",
    )


def ranged(spread: Spread) -> str:
    """The median, and the range where there is one."""
    middle, low, high = (number(value) for value in (spread.median, spread.low, spread.high))
    return middle if low == high else f"{middle} ({low}-{high})"


def number(value: float) -> str:
    """Three digits that count, and never an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def plain(records: Sequence[Record]) -> str:
    """Columns under one another, for a terminal."""
    rows = [HEAD, *map(cells, records)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < WORDS else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(bench: Bench) -> str:
    """The whole measurement as a page of Markdown."""
    rows = [HEAD, tuple("---" if place < WORDS else "--:" for place in range(len(HEAD)))]
    rows += map(cells, bench.records)
    parts = [
        f"# Speed of {bench.model}",
        "\n".join(f"- {name}: {value}" for name, value in facts(bench)),
        "\n".join("| " + " | ".join(map(_escaped, row)) + " |" for row in rows),
        "\n".join(f"- {line}" for line in notes(bench)),
    ]
    return "\n\n".join(parts) + "\n"


def facts(bench: Bench) -> list[tuple[str, str]]:
    """Where and how it was measured."""
    machine = bench.machine
    versions = machine["versions"]
    named = ("unmask", "torch", "onnxruntime", "openvino", "transformers")
    return [
        ("Model", f"{bench.parameters:,} parameters, sha256 {bench.model_sha256[:16]}"),
        ("Machine", f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}"),
        ("Instructions", ", ".join(machine["instruction_sets"]) or "not known"),
        ("Versions", ", ".join(f"{name} {versions[name]}" for name in named if name in versions)),
        ("Commit", machine["commit"] or "not from a checkout"),
        ("Threads", f"{bench.threads}, {bench.instances} process(es) of unmask"),
        ("Rounds", f"{bench.rounds} of {bench.seconds:g} s, after {bench.warmup:g} s of warm-up"),
        *(
            (f"Peak {name}", f"{value / 1e9:,.0f} G operations/s")
            for name, value in bench.peaks.items()
        ),
        ("Command", bench.command),
        ("Date", bench.made),
    ]


def notes(bench: Bench) -> list[str]:
    """What the numbers mean, and what is not there."""
    loads = dict.fromkeys(record.load for record in bench.records)
    return [
        *(f"{one.engine} did not run {one.case}: {one.reason}" for one in bench.missing),
        "numbers are the median of the rounds and their range; all engines were measured in turns",
        f"who asked: {'; '.join(loads) or 'nobody'}",
        "tokens are real ones, padding is not counted; latency is that of a whole request",
        f"share of peak: {bench.counted}",
        "memory is the resident set of the process at its largest, libraries included; load has "
        "the imports, the reading and the compiling, but torch.compile compiles in the warm-up",
    ]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
