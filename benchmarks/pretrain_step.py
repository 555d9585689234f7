"""One pretraining step, ours beside transformers', in turns.

    python benchmarks/pretrain_step.py [--device cuda] [--shapes small] [--sides "..."]

Both start from the same weights (`unmask`'s, which transformers reads) and compute the same
batch with the same masked positions, dropout 0.1, fused AdamW. transformers computes its head at
every position, with the labels that its collator makes; ours at the masked ones. Each side is a
process of its own that waits while another computes, and every round asks all of them.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import results
import torch
from live import Live
from pretrain_shapes import MASKED_SHARE, SHAPES, TRIAL, Compile, Precision, Shape, write_weights
from results import spread

from unmask.core import engine
from unmask.model.flops import training_flops
from unmask.train.peak import measured_peak
from unmask.train.precision import has_bf16

MB = 1 << 20
TRIAL_STEPS = 2
OURS = "unmask"
AGREEMENT = 0.02
"""Largest difference between the losses of two sides: that of rounding to bf16."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """How a side is run."""

    maker: str
    precision: Precision
    compile: Compile


SIDES = {
    "transformers, fp32": Setting("transformers", "fp32", "off"),
    "transformers, bf16": Setting("transformers", "bf16", "off"),
    "transformers, fp32, compiled": Setting("transformers", "fp32", "on"),
    "transformers, bf16, compiled": Setting("transformers", "bf16", "on"),
    OURS: Setting("unmask", "auto", "auto"),
    "unmask, compiled": Setting("unmask", "auto", "on"),
}
ON_A_CARD = ["transformers, bf16", "transformers, bf16, compiled", OURS]


@dataclasses.dataclass(slots=True)
class Measured:
    """What was found out about one side."""

    blocks: int = 0
    precision: str = ""
    loss: float = 0.0
    """Of the first weights, without dropout."""
    expected: float = 0.0
    """Tokens/s of a trial, by which the steps of a round are counted."""
    speeds: list[float] = dataclasses.field(default_factory=list)
    """Tokens/s, one a round."""
    peak_bytes: int = 0
    error: str = ""


def main() -> None:
    """Measure every shape and write the result file."""
    flags = _flags()
    torch.set_num_threads(engine.cores())
    device = torch.device(flags.device)
    before = peaks_now(device)
    if device.type == "cuda":
        torch.cuda.empty_cache()  # the sides need the card
    shapes = {**SHAPES[flags.device], **TRIAL}
    measured = {shapes[name]: measure(flags, name, shapes[name]) for name in flags.shapes}
    peaks = {name: max(peak, before[name]) for name, peak in peaks_now(device).items()}
    rows = [row for shape, sides in measured.items() for row in table(shape, sides, peaks)]
    samples: dict[str, Any] = {"matrix peaks, FLOP/s": peaks}
    for shape, sides in measured.items():
        samples[str(shape)] = {side: dataclasses.asdict(one) for side, one in sides.items()}
    whole = flags.shapes == list(SHAPES[flags.device])
    results.write(
        "-".join(["pretrain-step", flags.device, *([] if whole else flags.shapes)]),
        title=f"Pretraining step on {'a card' if flags.device == 'cuda' else 'the CPU'}",
        text=f"Tokens/s of full updates: the median of {flags.rounds} rounds of about "
        f"{flags.seconds:g} s, all sides in turns, and the range. The ratio is that of each pair "
        "of rounds. The share is that of the matrix peak measured in the same precision before "
        "and after, and counts the whole model with the head at masked positions. Memory is the "
        "peak of the whole process, on a card that of the tensors. A processor without bf16 "
        "instructions is measured in fp32 alone.",
        rows=rows,
        samples=samples,
        folder=flags.out,
    )


def peaks_now(device: torch.device) -> dict[str, float]:
    """Measure the matrix peaks, as those that are remembered may be of a busier hour."""
    return {precision: measured_peak(device, precision) for precision in ("fp32", "bf16")}


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=list(SHAPES), default="cpu")
    parser.add_argument("--shapes", nargs="+", help="names of shapes; tiny is a trial")
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), metavar="SIDE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of a round of one side")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the result")
    flags = parser.parse_args()
    flags.shapes = flags.shapes or list(SHAPES[flags.device])
    flags.sides = flags.sides or (ON_A_CARD if flags.device == "cuda" else _on_a_processor())
    if OURS not in flags.sides:
        flags.sides.append(OURS)
    return flags


def _on_a_processor() -> list[str]:
    """Every side; where bf16 is emulated, a step takes a minute, so then none in bf16."""
    native = has_bf16(torch.device("cpu"))
    return [side for side, setting in SIDES.items() if native or setting.precision != "bf16"]


def measure(flags: argparse.Namespace, name: str, shape: Shape) -> dict[str, Measured]:
    """Start every side, find its best size of a step, and ask all of them in rounds."""
    found = {side: Measured() for side in flags.sides}
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as living:
        write_weights(shape, Path(scratch))
        sides = {}
        for side in flags.sides:
            words = [*dataclasses.astuple(SIDES[side]), flags.device, name, scratch]
            sides[side] = living.enter_context(Live("pretrain_side.py", words))
            _prepare(sides[side], shape, found[side])
            said = found[side].error or f"{found[side].blocks} blocks"
            print(f"{shape}: {side}: {said}", file=sys.stderr, flush=True)
        if found[OURS].error:
            raise SystemExit(f"{OURS}: {found[OURS].error}")
        ready = [side for side in flags.sides if not found[side].error]
        for round_ in range(flags.rounds):
            # There and back, so that no side always follows the same one.
            for side in ready if round_ % 2 == 0 else reversed(ready):
                _round(sides[side], shape, found[side], flags.seconds)
        for side in ready:
            found[side].peak_bytes = sides[side].ask(memory=True)["bytes"]
    _compare_losses({side: found[side] for side in ready})
    return found


def _prepare(side: Live, shape: Shape, found: Measured) -> None:
    """Build it for the number of blocks at which it is fastest; sizes ascend until one fails."""
    speeds: dict[int, float] = {}
    answer: dict[str, Any] = {}
    for blocks in shape.blocks:
        answer = side.ask(build=blocks)
        if "error" in answer:
            break
        seconds = side.ask(steps=TRIAL_STEPS)["seconds"]
        speeds[blocks] = TRIAL_STEPS * blocks * shape.length / seconds
    if not speeds:
        found.error = answer["error"]
        return
    found.blocks = max(speeds, key=lambda blocks: speeds[blocks])
    found.expected = speeds[found.blocks]
    if len(shape.blocks) > 1:
        answer = side.ask(build=found.blocks)
    found.loss, found.precision = answer["loss"], answer["precision"]


def _round(side: Live, shape: Shape, found: Measured, seconds: float) -> None:
    tokens = found.blocks * shape.length
    steps = max(1, round(seconds * found.expected / tokens))
    found.speeds.append(steps * tokens / side.ask(steps=steps)["seconds"])


def _compare_losses(found: dict[str, Measured]) -> None:
    """All sides must compute the same thing; those with as many blocks have the same batch."""
    for side, one in found.items():
        same = [other for other in found.values() if other.blocks == one.blocks]
        apart = max(abs(one.loss - other.loss) for other in same)
        if apart > AGREEMENT:
            raise SystemExit(f"{side}: its loss of {one.loss} is {apart} from that of another")


def table(
    shape: Shape, found: dict[str, Measured], peaks: dict[str, float]
) -> list[dict[str, str]]:
    """One line a side."""
    ours = found[OURS]
    flops = training_flops(shape.config, length=shape.length, masked_share=MASKED_SHARE)
    rows = []
    for side, one in found.items():
        row = {"shape": str(shape), "side": side}
        if one.error:
            rows.append(row | dict.fromkeys(COLUMNS, "") | {"tokens/s": f"failed: {one.error}"})
            continue
        ratios = [mine / its for mine, its in zip(ours.speeds, one.speeds, strict=True)]
        peak = peaks[one.precision]
        share = statistics.median(one.speeds) * flops / peak
        cells = (
            str(one.blocks),
            one.precision,
            spread(one.speeds, ",.0f"),
            spread(ratios, ".2f"),
            f"{share:.0%} of {peak / 1e9:,.0f} GFLOP/s",
            f"{one.peak_bytes / MB:,.0f} MB",
            f"{ours.peak_bytes / one.peak_bytes:.2f}",
        )
        rows.append(row | dict(zip(COLUMNS, cells, strict=True)))
    return rows


COLUMNS = (
    "blocks",
    "precision",
    "tokens/s",
    "unmask's speed over it",
    "share of the matrix peak",
    "peak memory",
    "unmask's memory over it",
)

if __name__ == "__main__":
    main()
