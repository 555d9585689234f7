"""SIMULATION of pretraining on 8 to 1,024 cards. Nothing here was measured on so many.

    python benchmarks/simulate_scaling.py [--model base] [--tokens-per-s 650000]

Compute comes from a measurement on one card (benchmarks/results/pretrain-step-cuda*.json) or from
a stated number; the network is stated, and its collectives cost what interconnect.py says. A step
is the paper's: 8,192 blocks of 512 tokens, shared out; what a rank cannot hold at once it
accumulates. P parameters, n ranks, k micro-batches a rank and step:

| shard | gradients          | weights          | state a rank, bytes |
|-------|--------------------|------------------|---------------------|
| none  | one all-reduce     | -                | 16 P                |
| zero1 | one reduce-scatter | k all-gathers    | 8 P + 8 P / n       |
| zero2 | k reduce-scatters  | k all-gathers    | 4 P + 12 P / n      |
| zero3 | k reduce-scatters  | 2 k all-gathers  | 16 P / n            |

All of them in 4 bytes a parameter (Rajbhandari et al. 2020, ZeRO; here as
`unmask` does them, by DDP and FSDP2: train/parallel.py).

Time: forward is a third of a micro-batch's compute and backward two thirds. Gradients travel while
the backward pass goes on (all-reduce and zero1: the last micro-batch's), weights while forward or
backward goes on; what takes longer than what it hides behind is waited for, and so is the first
piece of weights and the last of gradients, which have nothing to hide behind. DDP sends pieces of
25 MB, FSDP2 one a layer and one for the rest; each piece pays the latency of a collective.
AdamW reads and writes 28 bytes a parameter. Not simulated: that small micro-batches compute more
slowly, that cards differ, that links are shared with others, the loader, checkpoints.
"""

import argparse
import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path

import results
from interconnect import Collective, Cost, Network, cost

from unmask.model.presets import ROBERTA

RANKS = (8, 16, 32, 64, 128, 256, 512, 1024)
SHARDS = ("none", "zero1", "zero2", "zero3")
BLOCKS, LENGTH = 8192, 512
BUCKET = 25e6
"""Bytes of gradients that DDP sends at once."""
CARD_BANDWIDTH = 4.3e12
"""Bytes/s of an H200's memory, of 4.8e12 nominal."""
STATED = 650_000.0
"""Tokens/s of one card where none is given and none was measured: the first mark for base."""


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """What is trained, and how fast one card computes it."""

    parameters: int
    layers: int
    tokens_per_s: float
    micro_batch: int
    network: Network


@dataclasses.dataclass(slots=True)
class Step:
    """SIMULATED seconds of a step; communication is what is waited for."""

    compute: float
    optimizer: float
    between: float = 0.0
    """Waited for bytes."""
    latency: float = 0.0
    """Waited for messages."""
    way: str = ""

    @property
    def seconds(self) -> float:
        """All in all."""
        return self.compute + self.optimizer + self.between + self.latency

    def wait(self, costs: Cost, hidden: float, pieces: int, times: int) -> None:
        """Add what collectives take longer than what they hide behind, but one piece at least."""
        waited = max(costs.seconds - hidden, costs.seconds / pieces) * times
        share = costs.latency / costs.seconds
        self.latency += waited * share
        self.between += waited * (1 - share)
        self.way = costs.way


def main() -> None:
    """Simulate every number of ranks and way of sharding, and write the table."""
    flags = _flags()
    sizes, network = ROBERTA[flags.model], Network()
    tokens_per_s, source = compute(flags)
    job = Job(sizes.parameters(), sizes.layers, tokens_per_s, flags.micro_batch, network)
    rows = [row(job, ranks, shard) for ranks in RANKS for shard in SHARDS]
    results.write(
        "simulated-scaling",
        title="SIMULATION: pretraining on 8 to 1,024 cards",
        text=f"Simulated, not measured. RoBERTa-{flags.model} ({job.parameters / 1e6:.0f} M "
        f"parameters), {BLOCKS:,} blocks of {LENGTH} tokens a step shared by all ranks, at most "
        f"{job.micro_batch} at once; one card computes {tokens_per_s:,.0f} tokens/s ({source}). "
        f"Network (stated): {network}. Efficiency is against as many cards that never wait and "
        "have no optimizer. The formulas stand at the head of `benchmarks/simulate_scaling.py` "
        "and `benchmarks/interconnect.py`.",
        rows=rows,
        samples={"job": dataclasses.asdict(job), "source": source},
        folder=flags.out,
    )


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=list(ROBERTA), default="base")
    parser.add_argument("--tokens-per-s", type=float, help="of one card, instead of the measured")
    parser.add_argument("--micro-batch", type=int, default=64, help="most blocks at once")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the result")
    return parser.parse_args()


def compute(flags: argparse.Namespace) -> tuple[float, str]:
    """Tokens/s of one card and where the number comes from."""
    if flags.tokens_per_s:
        return flags.tokens_per_s, "stated"
    sizes = ROBERTA[flags.model]
    wanted = f"L={sizes.layers} D={sizes.width} V={sizes.vocabulary:,}, length {LENGTH}"
    for path in sorted(results.FOLDER.glob("pretrain-step-cuda*.json")):
        sides = json.loads(path.read_text(encoding="utf-8"))["samples"].get(wanted)
        if sides is not None:
            speeds = sorted(sides["unmask"]["speeds"])
            return speeds[len(speeds) // 2], f"measured, {path.name}"
    if flags.model != "base":
        raise SystemExit(f"no measurement of {wanted}: give --tokens-per-s")
    return STATED, "stated: no measurement on a card was at hand"


def row(job: Job, ranks: int, shard: str) -> dict[str, str]:
    """One line of the table."""
    step = simulate(job, ranks, shard)
    ideal = BLOCKS * LENGTH / (ranks * job.tokens_per_s)
    return {
        "ranks": f"{ranks:,}",
        "shard": shard,
        "simulated step, ms": f"{1000 * step.seconds:,.1f}",
        "waited for, ms": f"{1000 * (step.between + step.latency):,.1f}",
        "simulated M tokens/s": f"{BLOCKS * LENGTH / step.seconds / 1e6:,.1f}",
        "efficiency": f"{ideal / step.seconds:.0%}",
        "state a rank": f"{state_bytes(job.parameters, ranks, shard) / 1e6:,.0f} MB",
        "what limits": limit(step),
    }


def simulate(job: Job, ranks: int, shard: str) -> Step:
    """One step, in seconds."""
    blocks = BLOCKS / ranks
    k = max(1, round(blocks / job.micro_batch))
    micro = blocks / k * LENGTH / job.tokens_per_s
    own = 1 if shard == "none" else ranks
    step = Step(k * micro, 28 * job.parameters / own / CARD_BANDWIDTH)
    for kind, pieces, hidden, times in traffic(job, shard, micro, k):
        costs = cost(kind, 4.0 * job.parameters, pieces, ranks, job.network)
        step.wait(costs, hidden, pieces, times)
    return step


def traffic(
    job: Job, shard: str, micro: float, k: int
) -> Iterator[tuple[Collective, int, float, int]]:
    """Collectives of a step: kind, pieces, seconds to hide behind, how often."""
    forward, backward, parts = micro / 3, 2 * micro / 3, job.layers + 1
    match shard:
        case "none":
            yield "all-reduce", math.ceil(4 * job.parameters / BUCKET), backward, 1
        case "zero1":
            yield "reduce-scatter", parts, backward, 1
            yield "all-gather", parts, forward, k
        case "zero2":
            yield "reduce-scatter", parts, backward, k
            yield "all-gather", parts, forward, k
        case "zero3":
            # In backward both weights and gradients travel: half of its time for each.
            yield "reduce-scatter", parts, backward / 2, k
            yield "all-gather", parts, backward / 2, k
            yield "all-gather", parts, forward, k


def state_bytes(parameters: int, ranks: int, shard: str) -> float:
    """Weights, gradients and both moments in fp32 on one rank."""
    whole = {"none": 16, "zero1": 8, "zero2": 4, "zero3": 0}[shard]
    return parameters * (whole + (16 - whole) / ranks)


def limit(step: Step) -> str:
    """The largest thing but compute, where it takes more than a twentieth of the step."""
    parts = {
        "bandwidth of the network": step.between,
        "latency of the network": step.latency,
        "optimizer": step.optimizer,
    }
    part = max(parts, key=lambda name: parts[name])
    if parts[part] < step.seconds / 20:
        return "compute"
    way = f" ({step.way})" if "network" in part else ""
    return f"{part}{way}"


if __name__ == "__main__":
    main()
