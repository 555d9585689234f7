"""The Hugging Face path from a text file to blocks, as run_mlm does it; a process of its own.

    python hugging_face_data.py TEXT TOKENIZER PROCESSES|none

Prints one JSON line: tokens in the blocks, seconds of the two maps, bytes of their cache files.
"""

import json
import os
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

LENGTH = 512

if sys.argv[1:] and sys.argv[3] != "none":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"

import datasets  # noqa: E402 (the environment is read on import)
import transformers  # noqa: E402


def main(text: str, tokenizer_folder: str, processes: str) -> None:
    """Load, tokenise, group; with a fresh cache."""
    datasets.disable_progress_bars()
    number = None if processes == "none" else int(processes)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tokenizer_folder)
    with tempfile.TemporaryDirectory() as cache:
        raw = datasets.load_dataset("text", data_files=text, split="train", cache_dir=cache)
        started = time.perf_counter()
        encoded = raw.map(
            lambda rows: tokenizer(rows["text"], return_special_tokens_mask=True),
            batched=True,
            num_proc=number,
            remove_columns=["text"],
        )
        grouped = encoded.map(group_texts, batched=True, num_proc=number)
        seconds = time.perf_counter() - started
        size = sum(Path(file["filename"]).stat().st_size for file in grouped.cache_files)
        tokens = len(grouped) * LENGTH
    print(json.dumps({"tokens": tokens, "map_s": seconds, "bytes": size}))


def group_texts(examples: dict[str, list[list[int]]]) -> dict[str, Any]:
    """Join the texts of a batch and cut them, as run_mlm's function of this name does."""
    joined = {key: list(chain(*rows)) for key, rows in examples.items()}
    total = len(joined["input_ids"]) // LENGTH * LENGTH
    return {
        key: [row[start : start + LENGTH] for start in range(0, total, LENGTH)]
        for key, row in joined.items()
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
