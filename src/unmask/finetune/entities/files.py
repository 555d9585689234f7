"""Which file of a folder holds a split of a data set of entities."""

from pathlib import Path

from unmask.corpus.inputs.sources import PACKINGS
from unmask.finetune import split_files

OFFICIAL = {
    "train": ("eng.train", "example.train"),
    "dev": ("eng.testa", "example.dev"),
    "test": ("eng.testb", "example.test"),
}
"""The names in CoNLL-2003, whose testa is for dev, and in People's Daily."""
STEMS = {"dev": ("dev", "valid", "validation")}
FORMATS = (".txt", ".conll", ".bio", ".bioes", ".iob", ".bmes", ".tsv", ".jsonl", ".parquet")


def find(folder: Path, split: str) -> Path:
    """Find the file of a split: by its official name, its usual one, or as the only one so called.

    UserError if there is none.
    """
    names = [name + packing for name in OFFICIAL.get(split, ()) for packing in ("", *PACKINGS)]
    official = next((folder / name for name in names if (folder / name).is_file()), None)
    stems = STEMS.get(split, (split,))
    called = [path for path in folder.glob(f"*{split}*") if path.is_file()]
    usual = any(path.name.startswith(f"{stem}.") for stem in stems for path in folder.iterdir())
    if official is None and not usual and len(called) == 1:
        return called[0]
    return official or split_files.find(folder, stems, FORMATS)
