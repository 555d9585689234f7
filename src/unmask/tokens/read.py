"""Token folders, memory-mapped."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core import files, locations, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Manifest
from unmask.core.progress import bar
from unmask.tokens import format as shards
from unmask.tokens.format import Codes

AGAIN = "run unmask tokens again with --force"


@dataclasses.dataclass(frozen=True, slots=True)
class Shard:
    """One shard, both files as memory maps."""

    ids_T: npt.NDArray[np.uint16] | npt.NDArray[np.uint32]
    lengths: Codes
    """The lengths of sentences, as `format.unpack` reads them."""


@dataclasses.dataclass(frozen=True, slots=True)
class TokenFolder:
    """An opened tokens folder; every file has the hash its manifest says."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> "TokenFolder":
        """Open a folder written by `unmask tokens`; UserError if it is another or is damaged.

        A folder in an object store is copied into the local cache first, file by file.
        """
        manifest = manifests.read(path)
        if manifest.stage != "tokens":
            raise UserError(
                f"{path}: is a folder of the stage {manifest.stage}",
                "give a folder written by unmask tokens",
            )
        with bar("check shards", sum(output.bytes for output in manifest.outputs)) as progress:
            for output in manifest.outputs:
                _check(path / output.path, output)
                progress.advance(output.bytes)
        return cls(path, manifest)

    @property
    def vocabulary(self) -> int:
        """Number of ids of the tokenizer that made the shards."""
        return int(self.manifest.facts["vocabulary"])

    def require_tokenizer(self, fingerprint: str, of: Path) -> None:
        """Refuse a tokenizer that did not make these shards."""
        made_with = str(self.manifest.facts["tokenizer"])
        if fingerprint != made_with:
            raise UserError(
                f"{self.path}: made with tokenizer {made_with[:12]}, {of} is {fingerprint[:12]}",
                f"run unmask tokens again with --tokenizer {of}, or give the tokenizer it was "
                "made with",
            )

    def shards(self, split: str) -> list[Shard]:
        """Map the shards of a split, in order."""
        stems = [
            output.path.removesuffix(shards.IDS)
            for output in self.manifest.outputs
            if output.path.startswith(f"{split}-") and output.path.endswith(shards.IDS)
        ]
        return map_shards(self.path, sorted(stems), self.vocabulary)


def map_shards(folder: Path, stems: Sequence[str], vocabulary: int) -> list[Shard]:
    """Map shards by name; those without a single token are left out, for nothing can be mapped."""
    mapped = []
    for stem in stems:
        ids, lengths = (
            locations.local(folder / f"{stem}{suffix}") for suffix in (shards.IDS, shards.LENGTHS)
        )
        if ids.stat().st_size:
            ids_T = np.memmap(ids, shards.dtype(vocabulary), mode="r")
            lengths_U = np.memmap(lengths, np.uint8, mode="r")
            # As plain arrays over the same maps: to slice a np.memmap takes ten times as long.
            mapped.append(Shard(ids_T.view(np.ndarray), lengths_U.view(np.ndarray)))
    return mapped


def _check(file: Path, output: manifests.Output) -> None:
    size = file.stat().st_size if file.exists() else 0
    if size != output.bytes:
        raise UserError(
            f"{file}: truncated ({size:,} bytes, its manifest says {output.bytes:,})", AGAIN
        )
    if files.sha256(locations.local(file)) != output.sha256:
        raise UserError(f"{file}: damaged (its bytes have another hash than its manifest)", AGAIN)
