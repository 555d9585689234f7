"""Settings of `unmask bench`."""

import dataclasses
import math
from pathlib import Path
from typing import Annotated, Literal

import tyro

from unmask.bench.npz_config import NpzConfig
from unmask.core.errors import UserError
from unmask.infer.engine_config import EngineConfig

PeerName = Literal[
    "transformers-fp32",
    "transformers-bf16",
    "compiled-fp32",
    "compiled-bf16",
    "onnxruntime-fp32",
    "onnxruntime-int8",
    "openvino-fp32",
    "openvino-bf16",
]
BATCH, LENGTH = 1, 128
MOST_REQUESTS = 1_000_000
"""Of one round of an open loop."""
MEASURING = (
    *("batch", "ragged", "instances", "clients", "rate", "seconds", "warmup", "rounds", "seed"),
    *("choose", "peers", "peers_only", "peers_model"),
)
"""Settings that only a measurement reads."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BenchConfig:
    """Measure a model here: sentences and tokens a second, latency, memory, beside its peers."""

    model: Path
    """Model folder, or export folder."""
    data: Path | None = None
    """Real texts for --ragged and --choose: a .txt with one a line, or a table (.tsv, .csv, .jsonl,
    .parquet). Without it lengths are drawn as those of sentences: 30 tokens on average, at most
    128."""
    text_column: str | None = None
    """Table: column of the text; by default `text`."""
    batch: tuple[int, ...] = ()
    """Sizes of batches of one length; every one with every --length. By default 1."""
    length: tuple[int, ...] = ()
    """Lengths in tokens, special tokens included; by default 128."""
    ragged: int | None = None
    """Measure requests of so many real sentences, too, of which the engine makes batches."""
    engine: EngineConfig = dataclasses.field(default_factory=EngineConfig)
    instances: int = 1
    """Processes that run at the same time and share --engine.threads; each has the model, and
    computes --engine.streams batches at once."""
    clients: int | None = None
    """Closed loop: so many callers, each of which waits for its answer and asks again. By default
    one for each batch that is computed at once, so that nobody queues."""
    rate: float | None = None
    """Open loop: requests a second that come whatever happens, at random (Poisson); latency counts
    from when a request came, so that queueing shows."""
    seconds: float = 5.0
    """Of each round; what is at work then is finished."""
    warmup: float = 1.0
    """Seconds of warm-up before the first round; every input is run once at least."""
    rounds: int = 3
    """Rounds; reported are the median and the range."""
    seed: int = 0
    """Decides drawn ids, lengths and times."""
    choose: bool = False
    """Find the fastest runtime, streams and batches for this model on this machine, and keep them
    in its choice.json."""
    peers: bool = False
    """Measure other runners of the same model, in turns: transformers, compiled or not, and stock
    ONNX Runtime and OpenVINO."""
    peers_only: tuple[PeerName, ...] = ()
    """The only ones of them."""
    peers_model: Path | None = None
    """Model folder of the peers, where --model is an export."""
    dump: tuple[Literal["npz"], Path] | None = None
    """Measure nothing, and write samples for runners on other devices: npz FOLDER. One NNNNNN.npz a
    sample with input_ids, attention_mask and token_type_ids (int64, 1 x length), and
    npz_datalist.txt. The samples are the texts of --data, or with --npz.task the task's own."""
    from_: Annotated[tuple[Literal["npz"], Path] | None, tyro.conf.arg(name="from")] = None
    """Measure nothing, and run such samples: npz FOLDER. Outputs go to --out as NNNNNN.npz,
    output_0 (and output_1: starts and ends), which evaluate --logits scores. input_0, input_1 and
    input_2 are read, too, as ids, types and mask."""
    npz: NpzConfig = dataclasses.field(default_factory=NpzConfig)
    out: Path | None = None
    """Folder for bench.json, bench.md and bench.html; with --from for the outputs."""

    def __post_init__(self) -> None:
        self._refuse_out_of_range()
        self._refuse_at_odds()
        self._refuse_beside_npz()

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Batch and length of every fixed shape that is asked for; none beside --ragged alone."""
        if not self.batch and not self.length and self.ragged is not None:
            return []
        return [
            (batch, length)
            for length in self.length or (LENGTH,)
            for batch in self.batch or (BATCH,)
        ]

    @property
    def alone(self) -> bool:
        """Whether one caller waits for one answer."""
        return self.rate is None and (self.clients or 1) == 1

    def _refuse_out_of_range(self) -> None:
        for name, values, least in (
            ("batch", self.batch, 1),
            ("length", self.length, 2),
            ("ragged", (self.ragged,), 1),
            ("instances", (self.instances,), 1),
            ("clients", (self.clients,), 1),
            ("rounds", (self.rounds,), 1),
        ):
            for value in values:
                if value is not None and value < least:
                    raise UserError(f"--{name} {value}: too small", f"give {least} or more")
        for name, number, least_one in (
            ("rate", self.rate, "requests a second must be positive; try 10"),
            ("seconds", self.seconds, "must be positive; try 5"),
        ):
            if number is not None and not 0 < number < math.inf:
                raise UserError(f"--{name} {number:g}: out of range", least_one)
        if not 0 <= self.warmup < math.inf:
            raise UserError(f"--warmup {self.warmup:g}: out of range", "give 0 or more")
        if self.rate is not None and self.rate * self.seconds > MOST_REQUESTS:
            raise UserError(
                f"--rate {self.rate:g} for --seconds {self.seconds:g}: more than "
                f"{MOST_REQUESTS:,} requests",
                "give a lower rate, or fewer seconds",
            )

    def _refuse_at_odds(self) -> None:
        if self.clients is not None and self.rate is not None:
            raise UserError(
                f"--clients {self.clients} with --rate {self.rate:g}: callers either wait for "
                "their answers or do not",
                "give one of them",
            )
        if self.clients is not None and self.clients < self.instances:
            raise UserError(
                f"--clients {self.clients} with --instances {self.instances}: some would have "
                "nobody to answer",
                f"give {self.instances} clients or more",
            )
        with_peers = self.peers or bool(self.peers_only)
        if with_peers and self.instances > 1:
            raise UserError(
                f"--instances {self.instances} with --peers: a peer is one process",
                "measure them apart",
            )
        if self.peers_model is not None and not with_peers:
            raise UserError(
                f"--peers-model {self.peers_model}: no peers are asked for", "give --peers"
            )
        if self.choose and (with_peers or self.clients or self.rate or self.instances > 1):
            raise UserError(
                "--choose with --peers, --clients, --rate or --instances: it looks for the best "
                "settings of one process",
                "choose first, then measure",
            )
        if self.choose and self.engine != EngineConfig(threads=self.engine.threads):
            raise UserError(
                "--choose with --engine flags: runtime, streams and batches are what it looks for",
                "leave out all but --engine.threads",
            )
        if self.choose and self.out is not None:
            raise UserError(
                f"--choose with --out {self.out}: what was tried is kept in {self.model}",
                "leave out --out",
            )
        self._refuse_unread_data()

    def _refuse_unread_data(self) -> None:
        read = self.ragged is not None or self.choose or self.dump is not None
        if self.data is not None and not read:
            raise UserError(
                f"--data {self.data}: batches of one length are drawn, no text is read",
                "give --ragged N, too, or leave it out",
            )
        if self.text_column is not None and self.data is None:
            raise UserError(
                f"--text-column {self.text_column}: columns are those of a table",
                "give the table by --data",
            )

    def _refuse_beside_npz(self) -> None:
        if self.dump is None and self.npz != NpzConfig():
            raise UserError("--npz flags without --dump: nothing is encoded", "leave them out")
        if self.dump is None and self.from_ is None:
            return
        if self.dump is not None and self.from_ is not None:
            raise UserError(
                f"--dump npz {self.dump[1]} with --from npz {self.from_[1]}: both at once",
                "write the samples first, then run them",
            )
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        if measured := [name for name in MEASURING if getattr(self, name) != defaults[name]]:
            raise UserError(
                "--dump, --from with settings of a measurement, "
                f"--{measured[0].replace('_', '-')}: nothing is measured then",
                "leave one of them out",
            )
        if self.dump is not None:
            self._refuse_beside_dump(self.dump[1])
        if len(self.length) > 1:
            raise UserError(
                f"--length {' '.join(map(str, self.length))}: samples are of one length",
                "give one",
            )
        if self.from_ is not None and self.out is None:
            raise UserError(
                f"--from npz {self.from_[1]}: the outputs go nowhere", "give --out FOLDER"
            )
        if self.from_ is not None and self.length:
            raise UserError(
                f"--length {self.length[0]}: the files of {self.from_[1]} have theirs",
                "leave it out",
            )

    def _refuse_beside_dump(self, folder: Path) -> None:
        """What writing samples does not read."""
        if self.data is None:
            raise UserError(f"--dump npz {folder}: has no texts", "give them by --data FILE")
        if self.out is not None:
            raise UserError(
                f"--dump npz {folder} with --out {self.out}: samples go to the first",
                "leave out --out",
            )
        if self.engine != EngineConfig():
            raise UserError(
                f"--dump npz {folder} with --engine flags: nothing is run then", "leave them out"
            )
        if self.text_column is not None and self.npz.labelled:
            raise UserError(
                f"--text-column {self.text_column} with --npz flags: labelled data have columns "
                "of their own",
                "give --npz.columns.text",
            )
