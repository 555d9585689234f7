"""One export: written, run, compared with its source, and held to what it promises."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.export import formats
from unmask.export.config import ExportConfig
from unmask.export.contract import Contract, Speed
from unmask.export.fused import expected, fused
from unmask.export.graph.heads import Exported
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
    points: float


@dataclasses.dataclass(frozen=True, slots=True)
class Exporting:
    """A model that is to be exported, and what it is compared by."""

    config: ExportConfig
    known: Known
    tokenizer: Tokenizer
    model: Exported
    yardstick: Yardstick

    @classmethod
    def begin(cls, config: ExportConfig, known: Known) -> "Exporting":
        """Read model and data."""
        tokenizer = Tokenizer.load(config.model)
        if config.shape is not None:
            config = _cut_to(config.shape[1], config, known)
        words = known.kind is MaskedLM
        read: Callable[..., Yardstick] = MaskedWords.read if words else labelled
        model: Exported = weights.load(config.model, known.kind)  # type: ignore[assignment]
        return cls(config, known, tokenizer, model.eval(), read(config, known, tokenizer))

    def into(self, folder: Path) -> Contract:
        """Write the export and measure it; UserError where the contract does not hold."""
        say("the source's own score")
        source = TorchBackend(self.model, CPU)
        reference = self._answers(source)
        made = None
        if self.config.precision == "int8":
            made = self._eight_bits(folder, reference)
        formats.write(self.model, self.config, folder, None if made is None else made.found.plan)
        backends = {name: self._opened(folder, name, many=True) for name in runtimes(folder)}
        pad_id, texts = self.tokenizer.pad_id, self.yardstick.sequences
        rates = {name: sentences_per_s(one, texts, pad_id) for name, one in backends.items()}
        fastest = max(rates, key=lambda name: rates[name])
        answers = self._answers(backends[fastest])
        speeds = {source.name: self._speed(source, source)}
        for name, one in backends.items():
            alone = self._opened(folder, name, many=False)
            speeds[one.name] = Speed(rates[name], latency_ms(alone, texts, pad_id))
        return self._held(folder, reference, answers, fastest, speeds, made)

    def _held(
        self,
        folder: Path,
        reference: Answers,
        answers: Answers,
        runtime: Runtime,
        speeds: dict[str, Speed],
        made: EightBits | None,
    ) -> Contract:
        choices = (self.yardstick.choices(one.logits) for one in (reference, answers))
        contract = Contract(
            metric=self.yardstick.metric or next(iter(answers.scores)),
            source=reference.scores,
            export=answers.scores,
            drop=reference.points - answers.points,
            runtime=runtime,
            parity=parity(reference.logits, answers.logits, list(zip(*choices, strict=True))),
            speeds=speeds,
            fused=self._fused(folder, made),
            eight_bits=made,
        )
        _hold(contract, self.config)
        return contract

    def _eight_bits(self, folder: Path, reference: Answers) -> EightBits:
        """Calibrate and search, each trial exported and scored on the full dev set."""
        name = self._faster(folder)

        def drop_of(plan: Plan) -> float:
            formats.write(self.model, self.config, folder, plan)
            return reference.points - self._answers(self._opened(folder, name, many=True)).points

        maker = Maker(self.tokenizer.pad_id, typed=self.model.config.types > 1)
        metric = self.yardstick.metric or next(iter(reference.scores))
        return make(self.model, self._calibration(), maker, self.config, metric, drop_of)

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

    def _calibration(self) -> Sequences:
        config = self.config
        if self.known.kind is not MaskedLM:
            return calibration(config, self.known, self.tokenizer)
        path = config.calibration or config.data
        assert path is not None, "it was read as the yardstick's"
        return text_sequences(path, config, self.tokenizer, config.int8.texts)

    def _answers(self, backend: Backend) -> Answers:
        logits = self.yardstick.logits(backend)
        scores = self.yardstick.scores(logits)
        return Answers(logits, scores, self.yardstick.points(scores))

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
        wanted = expected(self.model.config.layers, products)
        for name, count in wanted.items():
            if found[name] < count:
                say(
                    f"ONNX Runtime fused {found[name]} of {count} {name}, and is slower than it "
                    "could be"
                )
        return found


def _hold(contract: Contract, config: ExportConfig) -> None:
    """UserError for an export that strays from its source further than is allowed."""
    worst = contract.parity.max_difference
    if config.precision == "fp32" and worst > config.tolerance:
        raise UserError(
            f"the export differs by {worst:.2e} from PyTorch, more than --tolerance "
            f"{config.tolerance:g}",
            "report it with the model's config.json; nothing was written",
        )
    if contract.drop > config.max_drop:
        raise UserError(
            f"the export loses {contract.drop:.2f} points of {contract.metric}, more than "
            f"--max-drop {config.max_drop:g}",
            "try another --precision, or allow a larger drop; nothing was written",
        )


def _cut_to(length: int, config: ExportConfig, known: Known) -> ExportConfig:
    """Texts of no more tokens than the export takes."""
    taught = known.facts.get("max_length", length)
    return dataclasses.replace(config, max_length=min(length, config.max_length or taught))
