"""One export: written, run, compared with its source, and held to what it promises."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.export import formats
from unmask.export.config import ExportConfig
from unmask.export.contract import Contract, Speed
from unmask.export.fused import expected, fused
from unmask.export.graph.heads import Exported
from unmask.export.int8.calibration import require
from unmask.export.int8.making import EightBits, make
from unmask.export.int8.plan import Quantised
from unmask.export.int8.search import Plan
from unmask.export.masked_words import MaskedWords, text_sequences
from unmask.export.measured import latency_ms, sentences_per_s
from unmask.export.parity import parity
from unmask.export.yardstick import Yardstick, calibration, labelled
from unmask.finetune.inputs import Maker
from unmask.finetune.known import Known
from unmask.finetune.sequences import Sequences
from unmask.finetune.task import Scores
from unmask.infer.backend import ONNX_FILE, Backend, Logits, open_backend, runtimes
from unmask.infer.engine_config import EngineConfig, ExactPrecision, Runtime
from unmask.infer.one_shape import OneShape
from unmask.infer.torch_backend import TorchBackend
from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train.precision import has_bf16

CPU = torch.device("cpu")

PRODUCTS_OF_A_LAYER = {"attention.qkv": 3, "attention.out": 1, "up": 1, "down": 1}
"""Queries, keys and values are written as three."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answers:
    """What a way to run the model says of the yardstick's data."""

    logits: list[Logits]
    scores: Scores
    metric: str
    points: float
    """The metric, of a hundred."""


@dataclasses.dataclass(frozen=True, slots=True)
class Exporting:
    """A model that is to be exported, and what it is compared by."""

    config: ExportConfig
    known: Known
    tokenizer: Tokenizer
    model: Exported
    yardstick: Yardstick
    shown: Sequences | None
    """What 8 bits are calibrated on."""

    @classmethod
    def begin(cls, config: ExportConfig, known: Known) -> "Exporting":
        """Read model and data."""
        sizes = weights.read_config(config.model)
        formats.form_of(config, sizes.max_length)
        tokenizer = Tokenizer.load(config.model)
        _require_rows(sizes.vocabulary, tokenizer, config.model)
        if config.shape is not None:
            config = _cut_to(config.shape[1], config, known)
        words = known.kind is MaskedLM
        read: Callable[..., Yardstick] = MaskedWords.read if words else labelled
        yardstick = read(config, known, tokenizer)
        shown = _calibration(config, known, tokenizer) if config.precision == "int8" else None
        model: Exported = weights.load(config.model, known.kind)  # type: ignore[assignment]
        return cls(config, known, tokenizer, model.eval(), yardstick, shown)

    def into(self, folder: Path) -> Contract:
        """Write the export and measure it; UserError where the contract does not hold."""
        say("the source's own score")
        source = TorchBackend(self.model, CPU)
        reference = self._answers(source)
        _require_numbers(reference, self.config.model)
        made: EightBits | None = None
        searched: Runtime | None = None
        if self.shown is not None:
            searched = self._faster(folder)
            made = self._eight_bits(folder, reference, searched, self.shown)
        formats.write(self.model, self.config, folder, None if made is None else made.found.plan)
        backends = {name: self._opened(folder, name, many=True) for name in runtimes(folder)}
        pad_id, texts = self.tokenizer.pad_id, self.yardstick.sequences
        rates = {name: sentences_per_s(one, texts, pad_id) for name, one in backends.items()}
        # The score that was searched for holds in the runtime it was searched with.
        fastest = max(rates, key=lambda name: rates[name])
        default = searched or fastest
        answers = self._answers(backends[default])
        speeds = {source.name: self._speed(source, source)}
        for name, one in backends.items():
            alone = self._opened(folder, name, many=False)
            speeds[one.name] = Speed(rates[name], latency_ms(alone, texts, pad_id))
        ran = default, backends[default].name
        return self._held(folder, reference, answers, ran, speeds, made)

    def _held(
        self,
        folder: Path,
        reference: Answers,
        answers: Answers,
        ran: tuple[Runtime, str],
        speeds: dict[str, Speed],
        made: EightBits | None,
    ) -> Contract:
        choices = (self.yardstick.choices(one.logits) for one in (reference, answers))
        contract = Contract(
            metric=reference.metric,
            data=str(self.yardstick.data),
            source=reference.scores,
            export=answers.scores,
            drop=reference.points - answers.points,
            runtime=ran[0],
            ran=ran[1],
            parity=parity(reference.logits, answers.logits, list(zip(*choices, strict=True))),
            speeds=speeds,
            fused=self._fused(folder, made),
            eight_bits=made,
        )
        _hold(contract, self.config)
        return contract

    def _eight_bits(
        self, folder: Path, reference: Answers, name: Runtime, shown: Sequences
    ) -> EightBits:
        """Calibrate and search, each trial exported and scored on the full dev set."""

        def drop_of(plan: Plan) -> float:
            formats.write(self.model, self.config, folder, plan)
            return reference.points - self._answers(self._opened(folder, name, many=True)).points

        maker = Maker(self.tokenizer.pad_id, typed=self.model.config.types > 1)
        return make(self.model, shown, maker, self.config, reference.metric, drop_of)

    def _faster(self, folder: Path) -> Runtime:
        """The runtime that is faster with every layer in 8 bits, whatever their ranges are."""
        from unmask.export.int8.sites import sites

        plan = {name: Quantised(0.1, 128) for name in sites(self.model)}
        formats.write(self.model, self.config, folder, plan)
        texts, pad_id = self.yardstick.sequences, self.tokenizer.pad_id
        rates = {
            name: sentences_per_s(self._opened(folder, name, many=True), texts, pad_id)
            for name in runtimes(folder)
        }
        return max(rates, key=lambda name: rates[name])

    def _answers(self, backend: Backend) -> Answers:
        logits = self.yardstick.logits(backend)
        scores = self.yardstick.scores(logits)
        metric = self.yardstick.metric(scores)
        return Answers(logits, scores, metric, self.yardstick.points(scores))

    def _opened(self, folder: Path, name: Runtime, *, many: bool) -> Backend:
        """The export, computed in its own format: the folder has no manifest to say it yet."""
        precision: ExactPrecision | None = None
        if name == "openvino" and self.config.precision in ("bf16", "int8") and has_bf16(CPU):
            precision = "bf16"
        engine = EngineConfig(runtime=name, precision=precision)
        backend = open_backend(folder, engine, many=many)
        shape = self.config.shape
        if shape is None:
            return backend
        return OneShape(backend, shape[0], shape[1], self.tokenizer.pad_id)

    def _speed(self, many: Backend, alone: Backend) -> Speed:
        texts, pad_id = self.yardstick.sequences, self.tokenizer.pad_id
        return Speed(sentences_per_s(many, texts, pad_id), latency_ms(alone, texts, pad_id))

    def _fused(self, folder: Path, made: EightBits | None) -> dict[str, int]:
        """Count what ONNX Runtime has fused, and say so where it is less than there is to fuse."""
        if not (folder / ONNX_FILE).exists():
            return {}
        found = fused(folder)
        kept = {} if made is None else made.found.plan
        products = sum(PRODUCTS_OF_A_LAYER[name.split(".", 3)[3]] for name in kept)
        one_shape = self.config.shape is not None
        wanted = expected(self.model.config.layers, products, one_shape=one_shape)
        for name, count in wanted.items():
            if found[name] < count:
                say(
                    f"ONNX Runtime fused {found[name]} of {count} {name}, and is slower than it "
                    "could be"
                )
        return found


def _calibration(config: ExportConfig, known: Known, tokenizer: Tokenizer) -> Sequences:
    """Read what 8 bits are calibrated on; UserError for too little of it."""
    if known.kind is MaskedLM:
        path = config.calibration or config.data
        assert path is not None, "it was read as the yardstick's"
        found = text_sequences(path, config, tokenizer, config.int8.texts)
    else:
        found = calibration(config, known, tokenizer)
    require(len(found))
    return found


def _require_rows(rows: int, tokenizer: Tokenizer, model: Path) -> None:
    """UserError for a tokenizer with ids that the word embedding has no row for."""
    if tokenizer.vocabulary > rows:
        raise UserError(
            f"{model}: its tokenizer has {tokenizer.vocabulary:,} tokens, its word embedding "
            f"{rows:,} rows",
            "bring model and tokenizer of one training together",
        )


def _require_numbers(answers: Answers, model: Path) -> None:
    """UserError for a source whose answers or score are not finite: nothing can be held to it."""
    if not all(np.isfinite(one).all() for one in answers.logits):
        raise UserError(
            f"{model}: answers with numbers that are not finite",
            "its weights are damaged, or its training diverged: choose an earlier checkpoint",
        )
    if not np.isfinite(answers.points):
        raise UserError(
            f"{model}: has no {answers.metric} on these data, which is {answers.points}",
            "give --data with more than one answer in them, and a model that gives more than one",
        )


def _hold(contract: Contract, config: ExportConfig) -> None:
    """UserError for an export that strays from its source further than is allowed."""
    worst = contract.parity.max_difference
    if not np.isfinite(worst):
        raise UserError(
            f"the export answers with numbers that are not finite in {config.precision}",
            "try another --precision; nothing was written",
        )
    if config.precision == "fp32" and worst > config.tolerance:
        raise UserError(
            f"the export differs by {worst:.2e} from PyTorch, more than --tolerance "
            f"{config.tolerance:g}",
            "report it with the model's config.json; nothing was written",
        )
    if not contract.drop <= config.max_drop:
        raise UserError(
            f"the export loses {contract.drop:.2f} points of {contract.metric}, more than "
            f"--max-drop {config.max_drop:g}",
            "try another --precision, or allow a larger drop; nothing was written",
        )


def _cut_to(length: int, config: ExportConfig, known: Known) -> ExportConfig:
    """Texts of no more tokens than the export takes."""
    taught = known.facts.get("max_length", length)
    return dataclasses.replace(config, max_length=min(length, config.max_length or taught))
