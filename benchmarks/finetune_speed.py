"""Fine-tuning beside transformers' Trainer: SST-2 and SQuAD, in turns.

    python benchmarks/finetune_speed.py [--device cuda] [--shapes small] [--tasks sst2]

Both start from the same weights, head included, and learn from the same encoded examples in
batches of the same number, dropout 0.1, fused AdamW with the same settings, without clipping, looks
at dev, checkpoints and logs. The Trainer pads a batch to its longest sequence. Each side is a
process of its own that waits while the other trains; a precision is compared with itself.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import results
import torch
from finetune_cases import CASES, DATA, SHAPES, Case, Work, prepare, require_data
from live import Live
from results import spread

from unmask.core import engine
from unmask.train.config import Precision
from unmask.train.precision import has_bf16

MB = 1 << 20
OURS, THEIRS = "unmask", "transformers"
AGREEMENT = 1e-5
"""Largest difference between the losses of two sides, in fp32."""
RATIOS = {"sst2": 2.5, "squad": 1.5}
"""What is aimed at: times transformers' speed."""
ON_A_CARD = {"sst2": 10_000.0}
"""What is aimed at on a card, besides: samples/s."""
NOT_ON_A_CARD = (
    " On a card (`--device cuda`; aimed at there: 10,000 samples/s on SST-2 with a base model): "
    "not measured, unless a table of its own stands below."
)
UNITS = {"sst2": "sentences", "squad": "windows of at most 384 tokens, 128 of them shared"}


@dataclasses.dataclass(slots=True)
class Measured:
    """What was found out about one side."""

    loss: float = 0.0
    """Of some examples, of the first weights, without dropout, in fp32."""
    samples_per_s: list[float] = dataclasses.field(default_factory=list)
    """One a round, as the next."""
    tokens_per_s: list[float] = dataclasses.field(default_factory=list)
    """Padding left out."""
    peak_bytes: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of a case in one precision."""

    case: Case
    precision: Precision
    sides: dict[str, Measured]

    @property
    def ratios(self) -> list[float]:
        """Our speed over theirs, of each pair of rounds."""
        ours, theirs = (self.sides[side].samples_per_s for side in (OURS, THEIRS))
        return [mine / its for mine, its in zip(ours, theirs, strict=True)]

    def targets(self, device: str) -> dict[str, dict[str, Any]]:
        """What was aimed at, what came out, and whether that is enough."""
        task, speed = self.case.task, statistics.median(self.sides[OURS].samples_per_s)
        aims = {"times transformers' speed": (RATIOS[task], statistics.median(self.ratios))}
        if device == "cuda" and task in ON_A_CARD:
            aims["samples/s"] = (ON_A_CARD[task], speed)
        return {
            name: {"target": target, "measured": measured, "reached": measured >= target}
            for name, (target, measured) in aims.items()
        }


def main() -> None:
    """Measure every case in every precision and write the result file."""
    flags = _flags()
    cases = [one for one in CASES[flags.device] if one.task in flags.tasks]
    cases = [one for one in cases if one.shape in flags.shapes]
    if not cases:
        raise SystemExit(f"--device {flags.device}: has no such case; leave out --shapes")
    _require(flags.device, cases)
    torch.set_num_threads(engine.cores())
    pairs = [pair for case in cases for pair in measure(flags, case)]
    kept = [pair.targets(flags.device) for pair in pairs]
    whole = cases == CASES[flags.device]
    results.write(
        "-".join(["finetune-speed", flags.device, *([] if whole else flags.shapes + flags.tasks)]),
        title=f"Fine-tuning on {'a card' if flags.device == 'cuda' else 'the CPU'}",
        text=text(flags),
        rows=[row for pair in pairs for row in table(pair, flags.device)],
        samples={
            f"{pair.case}, {pair.precision}": {
                "steps of a round": flags.steps or pair.case.steps,
                "targets": targets,
                **{side: dataclasses.asdict(one) for side, one in pair.sides.items()},
            }
            for pair, targets in zip(pairs, kept, strict=True)
        },
        folder=flags.out,
    )


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=list(CASES), default="cpu")
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--tasks", nargs="+", choices=list(DATA), default=list(DATA))
    parser.add_argument("--repeats", type=int, default=3, help="rounds of both sides")
    parser.add_argument("--warm-up", type=int, default=2, help="updates before the first round")
    parser.add_argument("--steps", type=int, help="updates of a round; by default, of each case")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the result")
    return parser.parse_args()


def _require(device: str, cases: list[Case]) -> None:
    """End with a message where something is missing."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("--device cuda: torch sees no CUDA device here")
    if find_spec("accelerate") is None:
        raise SystemExit("transformers' Trainer needs accelerate: pip install accelerate")
    require_data(cases)


def measure(flags: argparse.Namespace, case: Case) -> list[Pair]:
    """Measure a case in fp32, and in bf16 where that is native: emulated, a step takes minutes."""
    steps = flags.steps or case.steps
    total = flags.warm_up + flags.repeats * steps
    native = has_bf16(torch.device(flags.device))
    precisions: list[Precision] = ["fp32", "bf16"] if native else ["fp32"]
    pairs = []
    with tempfile.TemporaryDirectory() as scratch:
        first = Work(case.task, case.batch, Path(scratch), flags.device, "fp32", total)
        prepare(first, SHAPES[case.shape])
        for precision in precisions:
            work = dataclasses.replace(first, precision=precision)
            pair = Pair(case, precision, _in_turns(flags, work, steps))
            pairs.append(pair)
            said = f"{case}, {precision}: {spread(pair.ratios, '.2f')} times transformers' speed"
            print(said, file=sys.stderr, flush=True)
    return pairs


def _in_turns(flags: argparse.Namespace, work: Work, steps: int) -> dict[str, Measured]:
    found = {side: Measured() for side in (OURS, THEIRS)}
    with ExitStack() as living:
        sides = {}
        for side in found:
            words = [side, *dataclasses.astuple(work)]
            sides[side] = living.enter_context(Live("finetune_side.py", words))
            found[side].loss = sides[side].ask(begin=True)["loss"]
            sides[side].ask(steps=flags.warm_up)
        for round_ in range(flags.repeats):
            # There and back, so that no side always follows the other one.
            for side in found if round_ % 2 == 0 else reversed(found):
                answer = sides[side].ask(steps=steps)
                found[side].samples_per_s.append(steps * work.batch / answer["seconds"])
                found[side].tokens_per_s.append(answer["tokens"] / answer["seconds"])
        for side, one in found.items():
            one.peak_bytes = sides[side].ask(memory=True)["bytes"]
    apart = abs(found[OURS].loss - found[THEIRS].loss)
    if apart > AGREEMENT:
        raise SystemExit(f"{work.task}: the losses of both sides are {apart} apart before training")
    return found


def text(flags: argparse.Namespace) -> str:
    """What the table says and how it came about."""
    tasks = ", ".join(f"{task}: {UNITS[task]}" for task in flags.tasks)
    return (
        "Training samples/s, updates included: the median of "
        f"{flags.repeats} rounds, both sides in turns, and the range; the first {flags.warm_up} "
        f"updates are left out. A sample is one of the batch ({tasks}); tokens leave out padding. "
        "The ratio is that of each pair of rounds in the same precision. The peer is "
        "transformers' Trainer, which pads a batch to its longest sequence: run_glue and run_qa "
        "pad to 128 and 384 by default, which takes longer. Both start from the same random "
        "weights and learn from the same examples, encoded before. Memory is the peak of the "
        "whole process, on a card that of the tensors; unmask's process encodes the examples "
        "itself, transformers' reads them. A processor without bf16 instructions is measured in "
        "fp32 alone." + ("" if flags.device == "cuda" else NOT_ON_A_CARD)
    )


def table(pair: Pair, device: str) -> list[dict[str, str]]:
    """One line a side; what was aimed at stands with ours."""
    ours = pair.sides[OURS]
    aims = [
        f"{one['target']:,g} {name}: {'reached' if one['reached'] else 'missed'}"
        for name, one in pair.targets(device).items()
    ]
    rows = []
    for side, one in pair.sides.items():
        mine = side == OURS
        rows.append(
            {
                "task and shape": str(pair.case),
                "side": f"{side}, {pair.precision}",
                "samples/s": spread(one.samples_per_s, ",.1f"),
                "tokens/s": spread(one.tokens_per_s, ",.0f"),
                "unmask's speed over it": "1" if mine else spread(pair.ratios, ".2f"),
                "target": "; ".join(aims) if mine else "",
                "peak memory": f"{one.peak_bytes / MB:,.0f} MB",
                "unmask's memory over it": f"{ours.peak_bytes / one.peak_bytes:.2f}",
            }
        )
    return rows


if __name__ == "__main__":
    main()
