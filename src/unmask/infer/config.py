"""Settings of `unmask predict` and `unmask evaluate`."""

import dataclasses
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.corpus.inputs.sources import suffixes
from unmask.finetune.config import JudgedConfig
from unmask.finetune.data_config import ChoicesConfig
from unmask.infer.engine_config import EngineConfig

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
OF_FEATURES = ("features", "token-features", "word-features")
ARRAYS = (".npy", ".npz")
TOPPED = ("answer", "fill-together")
OPTED = ("answer", "pronouns", "choose")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateConfig(JudgedConfig):
    """Score a fine-tuned model on labelled data; the scores go to stdout as JSON."""

    engine: EngineConfig = dataclasses.field(default_factory=EngineConfig)
    logits: Path | None = None
    """Folder of outputs that another runner has written, NNNNNN.npz in the order of the examples as
    unmask bench --dump wrote them; they are scored, and the model is not run."""
    out: Path | None = None
    """Folder for predictions and n-best lists in the task's official form."""

    def __post_init__(self) -> None:
        if self.logits is not None and self.engine != EngineConfig():
            raise UserError(
                f"--logits {self.logits} with --engine flags: nothing is run then",
                "leave one of them out",
            )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PredictConfig:
    """Answer for texts, one JSON line each: what the model's head was made for.

    It fills masks, classifies, finds entities, answers questions, or chooses an option. Any number
    of texts takes the same memory; with --output, a run that was stopped goes on where it was.
    """

    model: Path
    """Model folder, or export folder."""
    mode: Mode = "answer"
    """answer: what the head was made for.
    Any model: features (a vector a text), token-features, word-features.
    Masked language models: fill-together (all masks at once), perplexity,
    pronouns (what [it] stands for), choose (which option fits where _ is)."""
    text: tuple[str, ...] = ()
    """Texts; without --text and --input, stdin has them, one a line.
    For questions they are the contexts, for choices the passages."""
    pair: str | None = None
    """Second text of each pair, such as a hypothesis; --text has the first."""
    question: str | None = None
    """Question about each text."""
    option: tuple[str, ...] = ()
    """Options to choose from.
    With --mode pronouns: what the pronoun may stand for."""
    input: Path | None = None
    """File of texts: .txt, one a line; or a table, .tsv, .csv, .jsonl or
    .parquet; or questions as SQuAD's .json has them. It may be packed."""
    text_column: str | None = None
    """Table: column of the text; by default `text`."""
    pair_column: str | None = None
    """Table: column of a second text, or of the question about the text."""
    choices: ChoicesConfig = dataclasses.field(default_factory=ChoicesConfig)
    top_k: int | None = None
    """Candidates for each mask (by default 5) or for each answer (20)."""
    targets: tuple[str, ...] = ()
    """The only words that may fill a mask."""
    layers: tuple[int, ...] = (-1,)
    """Features: layers; 0 is the embedding, -1 the last one."""
    pooling: Literal["mean", "first"] = "mean"
    """--mode features: mean over the tokens of a text, or its first token."""
    engine: EngineConfig = dataclasses.field(default_factory=EngineConfig)
    output: Path | None = None
    """File to write answers to, instead of stdout: JSON lines; features also as a .npy or .npz."""
    force: bool = False
    """Throw away what --output holds and begin anew."""

    def __post_init__(self) -> None:
        if self.text and self.input is not None:
            raise UserError("--text and --input are both given", "give one of them")
        if self.top_k is not None and self.top_k < 1:
            raise UserError(f"--top-k {self.top_k}: too small", "give 1 or more")
        self._refuse_empty()
        self._refuse_of_other_sources()
        self._refuse_of_other_modes()
        self._refuse_of_other_outputs()

    @property
    def file_kind(self) -> str:
        """The ending of the file without that of its packing; "" where no file is given."""
        return "" if self.input is None else suffixes(self.input)[0]

    @property
    def table(self) -> bool:
        """Whether the texts are those of a table."""
        return self.input is not None and self.file_kind not in (".txt", ".json")

    def _refuse_empty(self) -> None:
        for flag, texts in (
            ("--text", self.text),
            ("--pair", () if self.pair is None else (self.pair,)),
            ("--question", () if self.question is None else (self.question,)),
            ("--option", self.option),
            ("--targets", self.targets),
        ):
            for number, text in enumerate(texts, start=1):
                if not text.strip():
                    raise UserError(
                        f"{flag}: text {number} is empty", "write something, or leave it out"
                    )

    def _refuse_of_other_sources(self) -> None:
        """Columns are those of a table, and what a file says is not said by a flag, too."""
        table = "give a .tsv, .csv, .jsonl or .parquet file by --input"
        if not self.table and (self.text_column or self.pair_column):
            raise UserError(
                f"--text-column {self.text_column}, --pair-column {self.pair_column}: columns are "
                "those of a table",
                table,
            )
        if not self.table and self.choices != ChoicesConfig():
            raise UserError("--choices flags without a table: they name its columns", table)
        read = dataclasses.replace(
            self.choices, label=ChoicesConfig().label, answers=ChoicesConfig().answers
        )
        if self.choices != read:
            raise UserError(
                "--choices.label, --choices.answers: predict reads no right answers",
                "leave them out, or run unmask evaluate",
            )
        if self.pair is not None and self.pair_column:
            raise UserError(
                f"--pair {self.pair!r}: the second texts are in {self.input}",
                "leave out --pair or --pair-column",
            )
        if self.question is not None and (self.pair_column or self.file_kind == ".json"):
            raise UserError(
                f"--question {self.question!r}: the questions are in {self.input}",
                "leave out --question" + (" or --pair-column" if self.pair_column else ""),
            )

    def _refuse_of_other_modes(self) -> None:
        """Flags of another mode would be ignored."""
        answer = ("answer",)
        for flag, given, modes in (
            ("--layers", self.layers != (-1,), OF_FEATURES),
            ("--pooling", self.pooling != "mean", ("features",)),
            ("--targets", bool(self.targets), TOPPED),
            ("--top-k", self.top_k is not None, TOPPED),
            ("--question", self.question is not None, answer),
            ("--option", bool(self.option), OPTED),
            ("--pair", self.pair is not None, answer),
            ("--pair-column", self.pair_column is not None, answer),
            ("--choices", self.choices != ChoicesConfig(), answer),
            ("--engine", self.engine != EngineConfig(), answer),
        ):
            if given and self.mode not in modes:
                raise UserError(
                    f"{flag} with --mode {self.mode}: it is for {', '.join(modes)}", "leave it out"
                )
        second = (
            f"--pair-column {self.pair_column}" if self.pair_column else f"--pair {self.pair!r}"
        )
        if self.targets and self.engine != EngineConfig():
            raise UserError(
                "--engine with --targets: torch fills masks with given words, in fp32",
                "leave one of them out",
            )
        if (self.pair_column or self.pair) and self.targets:
            raise UserError(
                f"{second} with --targets: second texts are not read then", "leave one of them out"
            )

    def _refuse_of_other_outputs(self) -> None:
        """What stdout or a file of answers cannot be."""
        if self.output is None:
            if self.force:
                raise UserError(
                    "--force without --output: nothing is written that could be redone",
                    "leave it out",
                )
            return
        kind, packing = suffixes(self.output)
        if packing:
            raise UserError(
                f"--output {self.output}: answers are not packed", f"leave out {packing}"
            )
        if kind in ARRAYS and self.mode not in OF_FEATURES:
            raise UserError(
                f"--output {self.output}: with --mode {self.mode} answers are JSON lines",
                f"give a .jsonl; a {kind} is for {', '.join(OF_FEATURES)}",
            )
