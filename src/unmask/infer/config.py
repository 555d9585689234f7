"""Settings of `unmask predict`."""

import dataclasses
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.finetune.data_config import ChoicesConfig

Mode = Literal[
    "answer",
    "fill-together",
    "features",
    "token-features",
    "word-features",
    "perplexity",
    "pronouns",
    "choose",
]
OF_LANGUAGE_MODELS = ("fill-together", "perplexity", "pronouns", "choose")
OF_FEATURES = ("features", "token-features", "word-features")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PredictConfig:
    """Answer for texts, one JSON line each on stdout: what the model's head was made for."""

    model: Path
    """Model folder, or export folder (then ONNX Runtime runs it)."""
    mode: Mode = "answer"
    """answer: fill masks, classify, find entities or answers, or choose, as the head does.
    fill-together: all masks of a text at once. features, token-features, word-features: vectors.
    perplexity: how likely a text is. pronouns: what [it] stands for. choose: which option fits _"""
    text: tuple[str, ...] = ()
    """Texts to answer for; without --text and --file they are read from stdin, one a line. For
    models that answer questions: the contexts; for choices: the passages."""
    question: str | None = None
    """Question about each text."""
    option: tuple[str, ...] = ()
    """Options to choose from; with --mode pronouns: what the pronoun may stand for."""
    file: Path | None = None
    """File of texts: .txt with one a line, a .tsv, .csv, .jsonl or .parquet table, or, for models
    that answer questions, a .json as SQuAD has."""
    text_column: str | None = None
    """Column of the text in a table; by default `text`."""
    pair_column: str | None = None
    """Column of a second text in a table, for classifiers of pairs; of the question, for models
    that answer questions."""
    choices: ChoicesConfig = dataclasses.field(default_factory=ChoicesConfig)
    top_k: int | None = None
    """Candidates for each mask, by default 5; answers to choose from, by default 20."""
    targets: tuple[str, ...] = ()
    """Words that are the only candidates for a mask."""
    layers: tuple[int, ...] = (-1,)
    """With --mode features and its like: 0 is the embedding, -1 the last layer."""
    pooling: Literal["mean", "first"] = "mean"
    """With --mode features: the mean over a text's tokens, or the state of the first."""
    out: Path | None = None
    """With --mode features and its like: file to write, .npy, .npz or .jsonl, instead of stdout."""

    def __post_init__(self) -> None:
        if self.text and self.file is not None:
            raise UserError("--text and --file are both given", "give one of them")
        table = self.file is not None and self.file.suffix not in (".txt", ".json")
        if not table and (self.text_column or self.pair_column):
            raise UserError(
                f"--text-column {self.text_column}, --pair-column {self.pair_column}: columns are "
                "those of a table",
                "give a .tsv, .csv, .jsonl or .parquet file by --file",
            )
        if self.top_k is not None and self.top_k < 1:
            raise UserError(f"--top-k {self.top_k}: too small", "give 1 or more")
        self._refuse_unread()

    def _refuse_unread(self) -> None:
        """Flags of another mode would be ignored."""
        features = self.mode in OF_FEATURES
        for flag, given, fits, modes in (
            ("--out", self.out is not None, features, OF_FEATURES),
            ("--layers", self.layers != (-1,), features, OF_FEATURES),
            ("--pooling", self.pooling != "mean", self.mode == "features", ("features",)),
            (
                "--targets",
                bool(self.targets),
                self.mode in ("answer", "fill-together"),
                ("answer", "fill-together"),
            ),
            ("--top-k", self.top_k is not None, self.mode in TOPPED, TOPPED),
            ("--question", self.question is not None, self.mode == "answer", ("answer",)),
            ("--option", bool(self.option), self.mode in OPTED, OPTED),
        ):
            if given and not fits:
                raise UserError(
                    f"{flag} with --mode {self.mode}: it is for {', '.join(modes)}", "leave it out"
                )


TOPPED = ("answer", "fill-together")
OPTED = ("answer", "pronouns", "choose")
