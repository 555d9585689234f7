"""The last pass: the documents that are left, split into train and valid, part by part.

N documents of a part, R rows of a batch, C bytes.
"""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from unmask.core import manifests
from unmask.corpus import store
from unmask.corpus.duplicates import hashes, pairs
from unmask.corpus.duplicates.pairs import Pairs
from unmask.corpus.quality.dropped import Samples
from unmask.corpus.split import SPLITS, Split, are_valid
from unmask.corpus.work import Part, Work

Mask = npt.NDArray[np.bool_]

COUNTED = ("documents", "lines", "characters")


@dataclasses.dataclass(frozen=True, slots=True)
class WriteTask:
    """The parts of one slice; what is kept of them goes into `folder`."""

    name: str
    parts: tuple[Part, ...]
    repeats: Mapping[str, tuple[Path, ...]]
    """For each reason to drop a document, the files that name such documents."""
    valid_fraction: float
    folder: Path
    work: Work


def write(task: WriteTask) -> dict[str, Any]:
    """Write `train-` and `valid-` parts; the result holds their hashes and all counts."""
    dropped: Counter[str] = Counter()
    kept = {split: Counter(dict.fromkeys(COUNTED, 0)) for split in SPLITS}
    samples = Samples(task.name)
    for part in task.parts:
        repeats = {reason: pairs.of_part(paths, part) for reason, paths in task.repeats.items()}
        for reason, found in repeats.items():
            dropped[reason] += len(found.one_P)
        _write_part(part, task, repeats, kept, samples)
    samples.write(task.work.samples("write", task.name))
    return {"outputs": _outputs(task), "kept": kept, "dropped": dropped}


def _write_part(
    part: Part,
    task: WriteTask,
    repeats: Mapping[str, Pairs],
    kept: Mapping[Split, Counter[str]],
    samples: Samples,
) -> None:
    masks = _masks(part, task, repeats)
    first = 0
    with contextlib.ExitStack() as stack:
        files = {
            split: stack.enter_context(store.writing(task.folder / _name(split, part)))
            for split in SPLITS
        }
        for batch in store.batches(task.work.texts(part)):
            for split in SPLITS:
                chosen = batch.filter(pa.array(masks[split][first : first + batch.num_rows]))
                files[split].add(chosen)
                if chosen.num_rows:
                    kept[split].update(_counts(chosen.column("text")))
            _sample(batch, part.first + first, repeats, samples)
            first += batch.num_rows


def _masks(part: Part, task: WriteTask, repeats: Mapping[str, Pairs]) -> dict[Split, Mask]:
    """Tell which documents of a part go where."""
    stays_N = np.ones(part.rows, np.bool_)
    for found in repeats.values():
        stays_N[found.one_P - part.first] = False
    hashed = hashes.read(task.work.hashes(part))
    draw_N = np.empty(part.rows, np.uint64)
    draw_N[hashed.row_N] = hashed.low_N
    valid_N = are_valid(draw_N, task.valid_fraction)
    return {"train": stays_N & ~valid_N, "valid": stays_N & valid_N}


def _sample(
    batch: pa.RecordBatch, first: int, repeats: Mapping[str, Pairs], samples: Samples
) -> None:
    """Offer the documents of a batch that are dropped to the sample."""
    for reason, found in repeats.items():
        start, stop = np.searchsorted(found.one_P, [first, first + batch.num_rows])
        for index in range(start, stop):
            position = int(found.one_P[index])
            text, source = (batch.column(name)[position - first] for name in ("text", "source"))
            samples.add(
                *(reason, position, source.as_py(), text.as_py()), kept=int(found.other_P[index])
            )


def _counts(text_R: pa.Array) -> dict[str, int]:
    """Count documents, lines and characters, on the bytes of all texts in a row.

    A blank line is no line of text. No cleaned text begins or ends with a line end, so two of them
    in a row are always of one document.
    """
    _, start_R, bytes_ = text_R.buffers()
    first, last = np.frombuffer(start_R, np.int32)[[text_R.offset, text_R.offset + len(text_R)]]
    byte_C = np.frombuffer(bytes_, np.uint8)[first:last]
    is_end_C = byte_C == ord("\n")
    blank_lines = np.count_nonzero(is_end_C[1:] & is_end_C[:-1])
    lines = len(text_R) + np.count_nonzero(is_end_C) - blank_lines
    characters = np.count_nonzero(byte_C & 0b1100_0000 != 0b1000_0000)  # the first byte of each
    return {"documents": len(text_R), "lines": int(lines), "characters": int(characters)}


def _outputs(task: WriteTask) -> list[dict[str, Any]]:
    """Hash the files that were written; a part of which nothing is left has none."""
    names = [_name(split, part) for split in SPLITS for part in task.parts]
    return [
        dataclasses.asdict(manifests.output(task.folder, name))
        for name in names
        if (task.folder / name).exists()
    ]


def _name(split: Split, part: Part) -> str:
    return f"{split}-{part.name}.parquet"
