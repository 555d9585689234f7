"""The settings of `unmask tokenizer`."""

import dataclasses
from pathlib import Path

from unmask.core.errors import UserError

SMALLEST = 261
"""Four special tokens, 256 bytes, `<mask>`: a byte-level vocabulary without a single merge."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerConfig:
    """Train a byte-level BPE on a corpus, or import an existing vocabulary."""

    out: Path
    """Folder to write the tokenizer to."""

    corpus: Path | None = None
    """Corpus folder to train on (its train split)."""

    vocabulary: int | None = None
    """With --corpus: number of ids, special tokens included (RoBERTa has 50265)."""

    import_from: Path | None = None
    """Folder with RoBERTa's vocab.json and merges.txt, fairseq's encoder.json, vocab.bpe and
    dict.txt, BERT's vocab.txt, or a tokenizer.json."""

    lowercase: bool = False
    """With a vocab.txt that comes without tokenizer_config.json: its text was lowercased."""

    cased: bool = False
    """With a vocab.txt that comes without tokenizer_config.json: its text kept its case."""

    force: bool = False
    """Do it again even if it is done."""

    def __post_init__(self) -> None:
        if (self.corpus is None) == (self.import_from is None):
            given = "neither" if self.corpus is None else "both"
            raise UserError(
                f"exactly one of --corpus and --import-from is needed, {given} given",
                "--corpus trains a tokenizer, --import-from takes an existing one",
            )
        if self.lowercase and self.cased:
            raise UserError("both --lowercase and --cased are given", "leave one of them out")
        if self.corpus is None:
            self._check_import()
        else:
            self._check_training()

    @property
    def states_lowercase(self) -> bool | None:
        """What the flags say about lowercasing; None if they say nothing."""
        return self.lowercase if self.lowercase or self.cased else None

    def _check_training(self) -> None:
        if self.vocabulary is None:
            raise UserError("--corpus needs --vocabulary", "RoBERTa has 50265, a small model 8192")
        if self.vocabulary < SMALLEST:
            raise UserError(
                f"vocabulary {self.vocabulary} is too small",
                f"{SMALLEST} at least: 256 bytes and 5 special tokens",
            )
        if self.states_lowercase is not None:
            raise UserError(
                "--lowercase and --cased are for a BERT vocabulary",
                "a byte-level BPE keeps the text as it is; leave the flag out",
            )

    def _check_import(self) -> None:
        if self.vocabulary is not None:
            raise UserError(
                f"--vocabulary {self.vocabulary} does not go with --import-from",
                "an imported vocabulary has the size it has; leave the flag out",
            )
