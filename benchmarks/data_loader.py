"""Blocks with masks, ours beside DataCollatorForLanguageModeling in a DataLoader, in turns.

    python benchmarks/data_loader.py

One process and one thread on both sides, the same tokens, length 512. Theirs reads rows of lists,
as run_mlm does, in its best of two ways (lists, or tensors by `with_format("torch")`). Ours is
what `unmask pretrain` calls: order, plan, masks, tensors.
"""

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import numpy as np
import processes
import results
import text
import tokenizers
import torch
import transformers
from results import spread
from torch.utils.data import DataLoader

from unmask.pretrain.batches import Batches
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.order import Shuffled
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import TokenFolder

LENGTH, BATCH, STEP = 512, 16, 256
ROUNDS, SECONDS = 5, 1.5
FAR = 10**9


def main() -> None:
    """Measure all sides in turns and write the table."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        tokens, tokenizer = prepare(Path(scratch))
        sides = {
            f"unmask, {STEP} blocks at a time": ours(tokens, tokenizer, STEP),
            f"unmask, {BATCH} blocks at a time": ours(tokens, tokenizer, BATCH),
            "DataLoader, lists": theirs(tokens, tokenizer, as_tensors=False),
            "DataLoader, tensors": theirs(tokens, tokenizer, as_tensors=True),
        }
        samples: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(ROUNDS):
            for name, side in sides.items():
                samples[name].append(speed(side))
    best = max(("DataLoader, lists", "DataLoader, tensors"), key=lambda name: max(samples[name]))
    rows = [
        {
            "loader": name,
            "tokens/s": spread(values, ",.0f"),
            "ratio": spread(
                [one / other for one, other in zip(values, samples[best], strict=True)], ".1f"
            ),
        }
        for name, values in samples.items()
    ]
    microseconds = far()
    rows.append(
        {
            "loader": f"unmask, order at block {FAR:,} of 10^12",
            "tokens/s": f"{spread(microseconds, '.0f')} microseconds",
            "ratio": "",
        }
    )
    results.write(
        "data-loader",
        title="Blocks with masks",
        text=f"Tokens/s of blocks of {LENGTH} tokens with 15 % masked, one process and one "
        f"thread: the median of {ROUNDS} rounds in turns, and the range. The ratio is that to the "
        "faster DataLoader. The target is 50 times its speed, and under a millisecond to go on "
        "far into a run.",
        rows=rows,
        samples=samples | {"far_microseconds": microseconds},
    )


def prepare(folder: Path) -> tuple[TokenFolder, Tokenizer]:
    """Run the data stages on 16 MB of text."""
    text.write(folder / "text.txt", 16 * text.MB)
    corpus, tokenizer, tokens = (folder / name for name in ("corpus", "tokenizer", "tokens"))
    processes.unmask("corpus", "--inputs", folder / "text.txt", "--out", corpus)
    processes.unmask("tokenizer", "--corpus", corpus, "--vocabulary", 32_768, "--out", tokenizer)
    processes.unmask("tokens", "--corpus", corpus, "--tokenizer", tokenizer, "--out", tokens)
    return TokenFolder.open(tokens), Tokenizer.load(tokenizer)


def ours(folder: TokenFolder, tokenizer: Tokenizer, size: int) -> Callable[[], Iterator[int]]:
    """Batches of `size` blocks; each yields its tokens."""
    shards = folder.shards("train")
    plan = choose("full-sentences", shards, LENGTH, SpecialIds.of(tokenizer))
    masker = Masker.of(MaskingConfig(), 0, tokenizer, shards)
    batches = Batches.of(
        plan,
        masker,
        0,
        batch=size,
        micro_batch=size,
        typed=False,
    )

    def run() -> Iterator[int]:
        for step in itertools.count():
            yield from (batch.tokens for batch in batches.after(step * size, size))

    return run


def theirs(
    folder: TokenFolder, tokenizer: Tokenizer, *, as_tensors: bool
) -> Callable[[], Iterator[int]]:
    """A DataLoader over the same tokens cut into rows, with run_mlm's collator."""
    shards = folder.shards("train")
    plan = choose("hf", shards, LENGTH, SpecialIds.of(tokenizer))
    ids_BL = plan.read(np.arange(min(plan.count, 4096))).ids_BL
    special_BL = np.isin(ids_BL, tokenizer.special_ids).astype(np.int8)
    rows = {"input_ids": ids_BL.tolist(), "special_tokens_mask": special_BL.tolist()}
    dataset = datasets.Dataset.from_dict(rows)
    if as_tensors:
        dataset = dataset.with_format("torch")
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(tokenizer.json),
        mask_token="<mask>",
        pad_token="<pad>",
    )
    collator = transformers.DataCollatorForLanguageModeling(fast, mlm_probability=0.15)
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, collate_fn=collator)

    def run() -> Iterator[int]:
        for batch in loader:
            yield batch["input_ids"].numel()

    return run


def speed(side: Callable[[], Iterator[int]]) -> float:
    """Tokens/s over a few seconds."""
    tokens, started = 0, time.perf_counter()
    for more in side():
        tokens += more
        if time.perf_counter() - started > SECONDS:
            break
    return tokens / (time.perf_counter() - started)


def far() -> list[float]:
    """Microseconds to find the blocks of a batch far into a huge plan, each in a fresh epoch."""
    found = []
    for seed in range(50):
        order = Shuffled(seed, 10**12)
        started = time.perf_counter()
        order.at(FAR, BATCH)
        found.append((time.perf_counter() - started) * 1e6)
    return found


if __name__ == "__main__":
    main()
