"""Pretraining with transformers in a plain loop, as a process of its own.

    python transformers_training.py FOLDER MINUTES

DataLoader, DataCollatorForLanguageModeling, RobertaForMaskedLM with SDPA and fused AdamW, in the
precision that is faster on this machine. FOLDER (made by time_to_loss.py) holds `settings.json`,
`start/`, `blocks.npy` and `held-out.safetensors`; rows go to `theirs.jsonl`, each with the seconds
of training up to it: reading, masking and updates, but not the measurement of held-out blocks.

Legend: B blocks, L length, D width, M masked positions, V vocabulary.
"""

import copy
import itertools
import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import load_file
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

SCORED_AT_ONCE = 16
TRIAL_STEPS = 6


class Blocks(Dataset[dict[str, torch.Tensor]]):
    """Blocks as run_mlm's group_texts leaves them: ids and where special tokens stand."""

    def __init__(self, folder: Path, special_ids: list[int]) -> None:
        self._ids_BL = np.load(folder / "blocks.npy", mmap_mode="r")
        self._special_ids = special_ids

    def __len__(self) -> int:
        return len(self._ids_BL)

    def __getitem__(self, block: int) -> dict[str, torch.Tensor]:
        """One block."""
        ids_L = self._ids_BL[block].astype(np.int64)
        special_L = np.isin(ids_L, self._special_ids)
        return {
            "input_ids": torch.from_numpy(ids_L),
            "attention_mask": torch.ones(len(ids_L), dtype=torch.int64),
            "special_tokens_mask": torch.from_numpy(special_L),
        }


class Training:
    """A model in training."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: dict[str, Any] = json.loads((folder / "settings.json").read_text())
        self.model = transformers.RobertaForMaskedLM.from_pretrained(
            folder / "start", attn_implementation="sdpa", dtype=torch.float32
        )
        self.held_out = load_file(folder / "held-out.safetensors")
        self.half = False

    def batches(self) -> Iterator[dict[str, torch.Tensor]]:
        """Batches without end; each epoch in another order, with other masks."""
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "start")
        loader = DataLoader(
            Blocks(self.folder, tokenizer.all_special_ids),
            batch_size=self.settings["batch"],
            shuffle=True,
            drop_last=True,
            collate_fn=transformers.DataCollatorForLanguageModeling(
                tokenizer, mlm_probability=0.15
            ),
        )
        return itertools.chain.from_iterable(itertools.repeat(loader))

    def optimizer(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """AdamW with the settings of both sides."""
        return torch.optim.AdamW(
            model.parameters(),
            lr=self.settings["peak_lr"],
            betas=(0.9, 0.98),
            eps=1e-6,
            weight_decay=0.01,
            fused=True,
        )

    def precision(self) -> AbstractContextManager[Any]:
        """Where matrices are multiplied in bf16, if they are."""
        return torch.autocast("cpu", dtype=torch.bfloat16) if self.half else nullcontext()

    def update(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: dict[str, Any]
    ) -> None:
        """One step."""
        optimizer.zero_grad(set_to_none=True)
        with self.precision():
            loss = model(**batch).loss
        loss.backward()
        optimizer.step()

    def choose_precision(self) -> dict[str, float]:
        """Take the faster one by a few steps of a copy; return the seconds of each.

        Where bf16 would be emulated, at a minute a step, it is not tried.
        """
        seconds = {}
        for half in (False, True) if self.settings["has_bf16"] else (False,):
            self.half = half
            model = copy.deepcopy(self.model).train()
            optimizer, started = self.optimizer(model), 0.0
            for number, batch in enumerate(itertools.islice(self.batches(), TRIAL_STEPS)):
                if number == TRIAL_STEPS // 2:
                    started = time.perf_counter()
                self.update(model, optimizer, batch)
            seconds["bf16" if half else "fp32"] = time.perf_counter() - started
        self.half = seconds.get("bf16", math.inf) < seconds["fp32"]
        return seconds

    @torch.inference_mode()
    def score(self) -> tuple[float, int]:
        """Mean loss over the masked tokens of the held-out blocks, and how many these are."""
        self.model.eval()
        ids_BL, positions_M = self.held_out["ids_BL"], self.held_out["positions_M"]
        total = 0.0
        with self.precision():
            hidden = [
                self.model.roberta(part_BL).last_hidden_state.flatten(0, 1)
                for part_BL in ids_BL.split(SCORED_AT_ONCE)
            ]
            hidden_MD = torch.cat(hidden)[positions_M]
            targets_M = self.held_out["targets_M"]
            for some_MD, some_M in zip(hidden_MD.split(512), targets_M.split(512), strict=True):
                logits_MV = self.model.lm_head(some_MD).float()
                total += float(F.cross_entropy(logits_MV, some_M, reduction="sum"))
        self.model.train()
        return total / len(targets_M), len(targets_M)

    def run(self, minutes: float) -> None:
        """Train for so long, and write a row every so many steps."""
        every, peak_lr = self.settings["every"], self.settings["peak_lr"]
        precisions = self.choose_precision()
        torch.manual_seed(0)
        optimizer, clock, step = self.optimizer(self.model), 0.0, 0
        self.write(step, clock, choice=precisions, precision="bf16" if self.half else "fp32")
        started = time.perf_counter()
        for batch in self.batches():
            factor = min(1.0, (step + 1) / max(1, self.settings["warmup_steps"]))
            for group in optimizer.param_groups:
                group["lr"] = peak_lr * factor
            self.update(self.model, optimizer, batch)
            step += 1
            over = clock + time.perf_counter() - started >= 60 * minutes
            if step % every == 0 or over:
                clock += time.perf_counter() - started
                self.write(step, clock)
                if over:
                    return
                started = time.perf_counter()

    def write(self, step: int, seconds: float, **facts: object) -> None:
        """Measure the held-out loss and append a row."""
        loss, masked = self.score()
        row = {"step": step, "seconds": seconds, "loss": loss, "masked_tokens": masked} | facts
        with (self.folder / "theirs.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        said = f"transformers: step {step:,} after {seconds:.0f} s, held-out loss {loss:.3f}"
        print(said, file=sys.stderr, flush=True)


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    Training(Path(sys.argv[1])).run(float(sys.argv[2]))
