"""Token folders, memory-mapped."""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Manifest
from unmask.tokens import format as shards
from unmask.tokens.format import Ints


@dataclasses.dataclass(frozen=True, slots=True)
class Shard:
    """One shard: all its ids in one memory map, and where sentences and documents end."""

    ids_T: npt.NDArray[np.uint16] | npt.NDArray[np.uint32]
    sentence_ends: Ints
    """Token offsets, one per sentence."""
    document_ends: Ints
    """Sentence offsets, one per document."""


@dataclasses.dataclass(frozen=True, slots=True)
class TokenFolder:
    """An opened tokens folder; every file has the size its manifest says."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> "TokenFolder":
        """Open a folder written by `unmask tokens`; UserError if it is another or is damaged."""
        manifest = manifests.read(path)
        if manifest.stage != "tokens":
            raise UserError(
                f"{path}: is a folder of the stage {manifest.stage}",
                "give a folder written by unmask tokens",
            )
        for output in manifest.outputs:
            file = path / output.path
            size = file.stat().st_size if file.exists() else 0
            if size != output.bytes:
                raise UserError(
                    f"{file}: truncated ({size:,} bytes, its manifest says {output.bytes:,})",
                    "run unmask tokens again with --force",
                )
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
            self.path / output.path.removesuffix(".ids")
            for output in self.manifest.outputs
            if output.path.startswith(f"{split}-") and output.path.endswith(".ids")
        ]
        return [self._shard(stem) for stem in sorted(stems)]

    def _shard(self, stem: Path) -> Shard:
        return Shard(
            np.memmap(stem.with_suffix(".ids"), shards.dtype(self.vocabulary), mode="r"),
            shards.unpack_ends(stem.with_suffix(".sentences").read_bytes()),
            shards.unpack_ends(stem.with_suffix(".documents").read_bytes()),
        )
