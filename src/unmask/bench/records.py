"""What was measured: one record for each case of each engine, and everything around them."""

import dataclasses
from typing import Any

from unmask.bench.stats import Spread


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One engine at one case. All but the counts are medians of the rounds, and their range."""

    engine: str
    """Who ran it, such as `unmask` or a peer."""
    runtime: str
    """What it says that it ran on."""
    number_format: str
    case: str
    batch: int
    """Sequences of a request."""
    load: str
    """Who asked, and how often."""
    sentences_per_s: Spread
    tokens_per_s: Spread
    """Real tokens; padding is none."""
    latency_ms: dict[str, Spread]
    """mean, p50, p90 and p99 of the requests; in an open loop from when they came."""
    requests: int
    """Of all rounds."""
    unanswered: int
    """Of them, those for which an open loop's time did not suffice; they count into the latency
    with the time that they had waited."""
    peak_share: float | None
    """Of the best matrix product in the same number format; None where that is not measured."""
    peak_bytes: int
    load_s: float
    warmup_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Missing:
    """An engine that did not run, and why."""

    engine: str
    case: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A whole measurement; every report is made from this and nothing else."""

    model: str
    model_sha256: str
    parameters: int
    command: str
    made: str
    threads: int
    instances: int
    seconds: float
    warmup: float
    rounds: int
    peaks: dict[str, float]
    """Operations a second of the best matrix product, by number format."""
    counted: str
    """Which operations peak_share is of."""
    machine: dict[str, Any]
    records: tuple[Record, ...]
    missing: tuple[Missing, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return dataclasses.asdict(self)
