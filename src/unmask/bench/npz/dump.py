"""Write a model's inputs: one NNNNNN.npz a sample, all padded to one length, and their list.

Legend: N samples, L length.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.bench.config import BenchConfig
from unmask.bench.workloads import texts
from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.finetune import families
from unmask.finetune.config import JudgedConfig
from unmask.finetune.known import Known
from unmask.finetune.sequences import Sequences
from unmask.finetune.task_names import QUESTIONS
from unmask.infer.backend import max_length
from unmask.infer.folders import made
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer

Array = npt.NDArray[np.int64]

LIST = "npz_datalist.txt"


def run(config: BenchConfig, folder: Path) -> None:
    """Encode the texts, or a task's own examples, and write them in their order."""
    length = padded_length(config)
    for name, sequences in encoded(config, length):
        place = folder / name if name else folder
        made(place, "--dump npz", empty=True)
        pad_id = weights.read_config(config.model).pad_id
        write(place, sequences, length=length, pad_id=pad_id)
        say(f"{place}: {len(sequences):,} samples of {length} tokens, {LIST}")


def padded_length(config: BenchConfig) -> int:
    """--length, else that of the task, as evaluate has it; UserError beyond what is read."""
    most = max_length(config.model)
    if config.length:
        (length,) = config.length
        if length > most:
            raise UserError(
                f"--length {length}: {config.model} reads at most {most} tokens",
                f"give {most} or less",
            )
        return length
    facts = Known.of(config.model).facts
    asks = (config.npz.task or facts.get("task")) in QUESTIONS
    usual = families.LENGTH_OF_QUESTIONS if asks else families.LENGTH
    return min(facts.get("max_length") or usual, most)


def encoded(config: BenchConfig, length: int) -> list[tuple[str, Sequences]]:
    """The samples, by the name of their split, which is mostly empty."""
    assert config.data is not None
    tokenizer = Tokenizer.load(config.model)
    if config.npz.labelled:
        judged = JudgedConfig.of(
            config.npz, model=config.model, data=config.data, max_length=length
        )
        splits = families.judged(judged, Known.of(config.model), tokenizer)
        return [(split.name, split.examples.sequences) for split in splits]
    found = texts(config.data, config.text_column)
    encodings = tokenizer.encode(found, max_length=length)
    if cut := sum(bool(one.overflowing) for one in encodings):
        say(f"{config.data}: {cut:,} of {len(found):,} texts are cut at {length} tokens")
    return [("", Sequences.of([one.ids for one in encodings], [one.type_ids for one in encodings]))]


def write(folder: Path, sequences: Sequences, *, length: int, pad_id: int) -> None:
    """Write int64 arrays of (1, length) under the names of transformers, padded on the right."""
    paths = []
    with bar("write samples", len(sequences)) as progress:
        for number in range(len(sequences)):
            path = folder / f"{number:06d}.npz"
            with files.atomic(path) as file:
                np.savez(file, allow_pickle=False, **_arrays(sequences, number, length, pad_id))
            paths.append(path)
            progress.advance()
    files.write_text(folder / LIST, "".join(f"{path}\n" for path in paths))


def _arrays(sequences: Sequences, number: int, length: int, pad_id: int) -> dict[str, Array]:
    begin, end = sequences.starts_N1[[number, number + 1]]
    found: dict[str, Array] = {
        name: np.full((1, length), fill, np.int64)
        for name, fill in (("input_ids", pad_id), ("attention_mask", 0), ("token_type_ids", 0))
    }
    found["input_ids"][0, : end - begin] = sequences.ids_T[begin:end]
    found["attention_mask"][0, : end - begin] = 1
    found["token_type_ids"][0, : end - begin] = sequences.types_T[begin:end]
    return found
