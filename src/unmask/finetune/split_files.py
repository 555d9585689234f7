"""Which file of a folder holds a split: `train.tsv`, `dev.jsonl.gz`."""

from collections.abc import Sequence
from pathlib import Path

from unmask.core.errors import UserError
from unmask.corpus.inputs.sources import PACKINGS


def find(folder: Path, stems: Sequence[str], formats: Sequence[str]) -> Path:
    """Find the file of a split: that of the first stem that has one, in any format and packing.

    UserError if no stem has a file, or if one has several.
    """
    for stem in stems:
        names = [f"{stem}{suffix}{packing}" for suffix in formats for packing in ("", *PACKINGS)]
        found = [folder / name for name in names if (folder / name).is_file()]
        if len(found) == 1:
            return found[0]
        if found:
            names = [path.name for path in found]
            raise UserError(f"{folder}: has {' and '.join(names)}", "keep the one that is meant")
    wanted = " and no ".join(f"{stem}.*" for stem in stems)
    raise UserError(
        f"{folder}: has no {wanted}", f"put one there: {', '.join(formats)}, also {PACKINGS[0]}"
    )
