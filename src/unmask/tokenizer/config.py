"""The settings of `unmask tokenizer`."""

import dataclasses
from pathlib import Path

from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError
from unmask.core.locations import Location

SMALLEST = 261
"""Four special tokens, 256 bytes, `<mask>`: a byte-level vocabulary without a single merge."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerConfig(EngineConfig):
    """Train a byte-level BPE on a corpus or on counted words, extend one, or import another."""

    out: Location
    """Folder to write the tokenizer to."""

    corpus: Location | None = None
    """Corpus folder to train on (its train split); its words are counted first."""

    counts: Location | None = None
    """Folder of counted words to train on, written by `unmask counts`."""

    vocabulary: int | None = None
    """With --corpus or --counts: number of ids, special tokens included (RoBERTa has 50265)."""

    min_count: int = 1
    """With --corpus or --counts: words seen less often are left out of the learning, which takes
    some 800 bytes of memory for each distinct word."""

    extend: Path | None = None
    """With --corpus or --counts: tokenizer or model folder whose byte-level BPE learns on. Each id
    it has keeps its meaning, and the new ones come after them, up to --vocabulary in all."""

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
        EngineConfig.__post_init__(self)
        sources = {
            "--corpus": self.corpus,
            "--counts": self.counts,
            "--import-from": self.import_from,
        }
        given = [flag for flag, source in sources.items() if source is not None]
        if len(given) != 1:
            raise UserError(
                "exactly one of --corpus, --counts and --import-from is needed, "
                f"{' and '.join(given) or 'none'} given",
                "--corpus and --counts train a tokenizer, --import-from takes an existing one",
            )
        if self.lowercase and self.cased:
            raise UserError("both --lowercase and --cased are given", "leave one of them out")
        if self.import_from is not None:
            self._check_import()
        else:
            self._check_training(given[0])
        if self.corpus is None:
            self._refuse_engine(given[0])

    @property
    def states_lowercase(self) -> bool | None:
        """What the flags say about lowercasing; None if they say nothing."""
        return self.lowercase if self.lowercase or self.cased else None

    def _check_training(self, flag: str) -> None:
        if self.vocabulary is None:
            raise UserError(f"{flag} needs --vocabulary", "RoBERTa has 50265, a small model 8192")
        if self.vocabulary < SMALLEST:
            raise UserError(
                f"vocabulary {self.vocabulary} is too small",
                f"{SMALLEST} at least: 256 bytes and 5 special tokens",
            )
        if self.min_count < 1:
            raise UserError(f"--min-count {self.min_count}: too small", "1 leaves no word out")
        if self.states_lowercase is not None:
            raise UserError(
                "--lowercase and --cased are for a BERT vocabulary",
                "a byte-level BPE keeps the text as it is; leave the flag out",
            )

    def _check_import(self) -> None:
        if self.extend is not None:
            raise UserError(
                f"--extend {self.extend} does not go with --import-from",
                "name the folder by --extend alone, and the text to learn from by --corpus",
            )
        if self.vocabulary is not None:
            raise UserError(
                f"--vocabulary {self.vocabulary} does not go with --import-from",
                "an imported vocabulary has the size it has; leave the flag out",
            )
        if self.min_count != 1:
            raise UserError(
                f"--min-count {self.min_count} does not go with --import-from",
                "an imported vocabulary is not learnt; leave the flag out",
            )

    def _refuse_engine(self, flag: str) -> None:
        """Counting a corpus is all that is done in tasks."""
        if self.engine != "local" or self.workers is not None:
            named = (
                f"--engine {self.engine}" if self.workers is None else f"--workers {self.workers}"
            )
            raise UserError(
                f"{named} does not go with {flag}", "only counting a corpus is shared out"
            )
