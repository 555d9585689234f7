"""How long `unmask pretrain` takes to the held-out loss that transformers reaches in 15 minutes.

    python benchmarks/time_to_loss.py [--text FOLDER] [--minutes 15]

The same cores, text, blocks, tokenizer, model, first weights, batch, optimizer and learning rate,
one side after the other, each in its best precision by default. Both see a block at most once an
epoch, in orders and with masks of their own; the held-out blocks and their masks are the same.

The rate is constant after the warm-up: so it is the same function of the step on both sides,
whatever number of steps they make, and none of them gains by a rate that falls just before its
own end. The loss to reach is the lowest that transformers had within its time.

What was measured is kept in --work: the same command again measures only what is missing.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import loss_curves
import numpy as np
import processes
import results
import torch
from loss_curves import Point
from pretraining_data import Data, add_flags, prepare
from safetensors.torch import save_file

from unmask.core import files, manifests
from unmask.core.runs import Run
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.order import Shuffled
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import TokenFolder
from unmask.train.precision import has_bf16

PEER = Path(__file__).parent / "peers" / "transformers_training.py"
SEED = 0
LAYERS, WIDTH = 4, 256
MOST_STEPS = 1_000_000
"""More than any side makes: the time ends a run."""
SAME_START = 0.02
"""Largest difference of the losses before the first step: that of rounding to bf16."""
WAITED_S = 120
"""For a run to save and end."""


def main() -> None:
    """Measure both sides and write the table and the picture."""
    flags = _flags()
    data = prepare(flags, flags.work)
    print(data.origin, file=sys.stderr, flush=True)
    settings = {
        **{name: getattr(flags, name) for name in ("batch", "peak_lr", "warmup_steps")},
        **{name: getattr(flags, name) for name in ("every", "valid_blocks", "length", "minutes")},
        "has_bf16": has_bf16(torch.device("cpu")),
        "tokens": manifests.artifact_input("tokens", data.tokens, flags.work).sha256,
    }
    theirs = measure_theirs(flags.work, data, settings)
    curve = loss_curves.of_theirs(theirs)
    target = min(point.loss for point in curve)
    print(f"to reach: {target:.3f}", file=sys.stderr, flush=True)
    started, rows = measure_ours(flags, data, target)
    write(flags, data, {"transformers": theirs, "unmask": rows}, started)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_flags(parser, megabytes=60)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--batch", type=int, default=16, help="blocks of a step")
    parser.add_argument("--peak-lr", type=float, default=6e-4)
    parser.add_argument("--warmup-steps", type=int, default=100)
    parser.add_argument("--every", type=int, default=25, help="steps between measurements")
    parser.add_argument("--valid-blocks", type=int, default=256)
    parser.add_argument(
        "--stop-when-reached", action="store_true", help="do not go on for all the minutes"
    )
    parser.add_argument(
        "--work", type=Path, default=results.FOLDER.parents[1] / "runs/time-to-loss"
    )
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the result")
    return parser.parse_args()


def measure_theirs(work: Path, data: Data, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Train with transformers for the minutes, unless that was done with the same settings."""
    folder = work / "transformers"
    done = folder / "done.json"
    if not (done.exists() and files.read_json(done) == settings):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        files.write_json(folder / "settings.json", settings)
        write_start(folder / "start", data, settings["length"])
        write_blocks(folder, data, settings)
        processes.run([sys.executable, str(PEER), str(folder), str(settings["minutes"])])
        files.write_json(done, settings)
    lines = (folder / "theirs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def write_start(folder: Path, data: Data, length: int) -> None:
    """Write the model folder, with its tokenizer, that `unmask pretrain --seed 0` starts from."""
    tokenizer = Tokenizer.load(data.tokenizer)
    config = ModelConfig(
        family="roberta",
        vocabulary=tokenizer.vocabulary,
        layers=LAYERS,
        width=WIDTH,
        heads=WIDTH // 64,
        feed_forward=4 * WIDTH,
        max_length=length,
        types=1,
        norm_eps=1e-5,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )
    model = MaskedLM(config)
    initialise(model, SEED)
    weights.save(model, folder)
    tokenizer.save(folder, model_max_length=length)


def write_blocks(folder: Path, data: Data, settings: dict[str, Any]) -> None:
    """Write all training blocks, and the held-out ones as `unmask pretrain` masks them."""
    tokens, tokenizer = TokenFolder.open(data.tokens), Tokenizer.load(data.tokenizer)
    train, valid = (
        choose("hf", tokens.shards(split), settings["length"], SpecialIds.of(tokenizer))
        for split in ("train", "valid")
    )
    if not valid.count:
        raise SystemExit("no text is held out: give more of it")
    ids_BL = train.read(np.arange(train.count)).ids_BL
    np.save(folder / "blocks.npy", ids_BL.astype(np.int32))
    masker = Masker.of(MaskingConfig(), SEED, tokenizer, tokens.shards("train"))
    order = Shuffled(SEED, valid.count)
    epoch_B, block_B = order.at(0, min(settings["valid_blocks"], valid.count))
    masked = masker(valid.read(block_B).ids_BL, epoch_B, block_B)
    tensors = {
        name: torch.from_numpy(getattr(masked, name)).long()
        for name in ("ids_BL", "positions_M", "targets_M")
    }
    save_file(tensors, folder / "held-out.safetensors")


def measure_ours(
    flags: argparse.Namespace, data: Data, target: float
) -> tuple[float, list[dict[str, Any]]]:
    """Run the command line until its time is over; return when it was started, and its rows."""
    folder = flags.work / "unmask"
    shutil.rmtree(folder, ignore_errors=True)
    started = time.time()
    process = subprocess.Popen(command(flags, data, folder))
    try:
        while process.poll() is None and not enough(flags, Run(folder), target):
            time.sleep(0.5)
        process.terminate()
        process.wait(WAITED_S)
    finally:
        process.kill()
    rows = list(Run(folder).metrics())
    if not rows:
        raise SystemExit(f"unmask pretrain ended with exit code {process.returncode}")
    return started, rows


def enough(flags: argparse.Namespace, run: Run, target: float) -> bool:
    """Whether the run may end."""
    curve = loss_curves.of_a_run(list(run.metrics()))
    if not curve:
        return False
    there = flags.stop_when_reached and loss_curves.reached(curve, target) is not None
    return there or curve[-1].seconds >= 60 * flags.minutes


def command(flags: argparse.Namespace, data: Data, folder: Path) -> list[str]:
    """The words of `unmask pretrain` with the settings of both sides."""
    words = {
        "tokens": data.tokens,
        "out": folder,
        "plan": "hf",
        "length": flags.length,
        "batch": flags.batch,
        "micro-batch": flags.batch,
        "steps": MOST_STEPS,
        "warmup-steps": flags.warmup_steps,
        "schedule.shape": "stable",
        "schedule.decay-share": 0,
        "optim.peak-lr": flags.peak_lr,
        "log-every": flags.every,
        "evaluate-every": flags.every,
        "valid-blocks": flags.valid_blocks,
        "checkpoint-every": MOST_STEPS,
        "seed": SEED,
        "model.layers": LAYERS,
        "model.width": WIDTH,
        "model.heads": WIDTH // 64,
        "model.feed-forward": 4 * WIDTH,
        "model.max-length": flags.length,
    }
    said = [str(part) for name, value in words.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "unmask", "pretrain", *said]


def write(
    flags: argparse.Namespace,
    data: Data,
    measured: dict[str, list[dict[str, Any]]],
    started: float,
) -> None:
    """Compare and write the results."""
    theirs, ours = measured["transformers"], measured["unmask"]
    curves = {
        "transformers": loss_curves.of_theirs(theirs),
        "unmask": loss_curves.of_a_run(ours),
    }
    check_same_start(curves)
    target = min(point.loss for point in curves["transformers"])
    per_step = flags.batch * flags.length
    rows = [row(side, curve, target, per_step) for side, curve in curves.items()]
    there = loss_curves.reached(curves["unmask"], target)
    whole = "It was not reached."
    if there is not None:
        valid = (row for row in ours if row["kind"] == "valid" and row["step"] == there.step)
        minutes = (next(valid)["time"] - started) / 60
        whole = f"From the command to that loss, with all there is, it took {minutes:.1f} minutes."
    choice = ", ".join(f"{name} {value:.1f} s" for name, value in theirs[0]["choice"].items())
    loss_curves.draw(flags.out / "time-to-loss.svg", curves, target, "Time to loss, the same cores")
    results.write(
        "time-to-loss",
        title="Time to loss",
        text=f"Minutes of training to the lowest held-out loss that transformers reaches in "
        f"{flags.minutes:g} minutes: L={LAYERS} D={WIDTH}, {data.origin}, length {flags.length}, "
        f"{flags.batch} blocks a step, AdamW at {flags.peak_lr:g} after {flags.warmup_steps} steps "
        "of warm-up, constant from there on. Measuring held-out blocks is not counted on either "
        f"side, compiling is. {whole} transformers ran in {theirs[0]['precision']} "
        f"(three steps: {choice}; without bf16 instructions only fp32 is tried). The target is "
        "under 4 minutes. Picture: `time-to-loss.svg`.",
        rows=rows,
        samples=measured,
        folder=flags.out,
    )


def check_same_start(curves: dict[str, list[Point]]) -> None:
    """Both sides must measure the same tokens, and begin with the same weights."""
    theirs, ours = (curve[0] for curve in curves.values())
    if theirs.masked_tokens != ours.masked_tokens or abs(theirs.loss - ours.loss) > SAME_START:
        raise SystemExit(f"not the same start: transformers {theirs}, unmask {ours}")


def row(side: str, curve: list[Point], target: float, per_step: int) -> dict[str, str]:
    """One line of the table."""
    there, last = loss_curves.reached(curve, target), curve[-1]
    return {
        "side": side,
        f"minutes to {target:.3f}": "not reached" if there is None else f"{there.seconds / 60:.2f}",
        "steps to it": "" if there is None else f"{there.step:,}",
        "tokens/s": f"{last.step * per_step / last.seconds:,.0f}",
        "at the end": f"{last.loss:.3f} after {last.seconds / 60:.1f} minutes",
        "before the first step": f"{curve[0].loss:.4f}",
    }


if __name__ == "__main__":
    main()
