"""The settings of `unmask counts`."""

import dataclasses

from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError
from unmask.core.locations import Location


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CountsConfig(EngineConfig):
    """Count the words of a corpus, or add up the counts of several; a tokenizer learns from them.

    A corpus may be counted in shards, on machines that know nothing of each other.
    """

    out: Location
    """Folder to write the counts to."""
    corpus: Location | None = None
    """Corpus folder whose train split is counted."""
    merge: tuple[Location, ...] = ()
    """Folders of counts to add up."""
    force: bool = False
    """Do it again even if it is done."""

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        if (self.corpus is None) == (not self.merge):
            given = "neither" if self.corpus is None else "both"
            raise UserError(
                f"exactly one of --corpus and --merge is needed, {given} given",
                "--corpus counts a corpus, --merge adds up counts",
            )
        for number, folder in enumerate(self.merge):
            if folder in self.merge[:number]:
                raise UserError(f"--merge names {folder} twice", "its text would count twice")
