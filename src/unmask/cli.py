"""The command line: command -> (config class, run function), imported only when called."""

import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from unmask import __version__
from unmask.core import files
from unmask.core.errors import UserError


class Command(NamedTuple):
    """One row of the table; `config` and `run` are `module:name`."""

    config: str
    run: str
    help: str


COMMANDS = {
    "corpus": Command(
        "unmask.corpus.config:CorpusConfig",
        "unmask.corpus.run:run",
        "text files in, clean documents out, split into train and valid",
    ),
    "counts": Command(
        "unmask.tokenizer.counts_config:CountsConfig",
        "unmask.tokenizer.counts_run:run",
        "count a corpus's words, or add counts up, for a tokenizer to learn from",
    ),
    "tokenizer": Command(
        "unmask.tokenizer.config:TokenizerConfig",
        "unmask.tokenizer.run:run",
        "train a byte-level BPE, or import RoBERTa's, fairseq's or BERT's",
    ),
    "tokens": Command(
        "unmask.tokens.config:TokensConfig",
        "unmask.tokens.run:run",
        "documents to memory-mapped token shards",
    ),
    "tokens inspect": Command(
        "unmask.inspect.config:InspectConfig",
        "unmask.inspect.run:run",
        "show a tokens folder: blocks as text, masks, lengths, counts",
    ),
    "pretrain": Command(
        "unmask.pretrain.config:PretrainConfig",
        "unmask.pretrain.run:run",
        "masked-language-model pretraining, resumable to the bit",
    ),
    "finetune": Command(
        "unmask.finetune.config:FinetuneConfig",
        "unmask.finetune.run:run",
        "train on a task: GLUE, SQuAD, RACE, entities, or a table; keep what is best on dev",
    ),
    "evaluate": Command(
        "unmask.infer.config:EvaluateConfig",
        "unmask.infer.evaluate:run",
        "score a fine-tuned model on labelled data",
    ),
    "submit": Command(
        "unmask.finetune.config:SubmitConfig",
        "unmask.finetune.submit:run",
        "predict a test set of GLUE, in the form its server takes",
    ),
    "export": Command(
        "unmask.export.config:ExportConfig",
        "unmask.export.run:run",
        "model folder to ONNX, OpenVINO or torch, in 32 to 8 bits, with a contract",
    ),
    "bench": Command(
        "unmask.bench.config:BenchConfig",
        "unmask.bench.run:run",
        "speed of a model here: latency, throughput, percentiles, peers",
    ),
    "convert": Command(
        "unmask.convert.config:ConvertConfig",
        "unmask.convert.run:run",
        "a checkpoint of fairseq to a model folder, and back",
    ),
    "predict": Command(
        "unmask.infer.config:PredictConfig",
        "unmask.infer.run:run",
        "what a model answers: text in, JSON lines out",
    ),
    "report": Command(
        "unmask.report.config:ReportConfig",
        "unmask.report.run:run",
        "a run folder as one page: loss, speed, scores, confusions, calibration",
    ),
    "doctor": Command(
        "unmask.doctor.config:DoctorConfig",
        "unmask.doctor.run:run",
        "what this machine has and reaches, and what will be slow",
    ),
    "lineage": Command(
        "unmask.core.lineage:LineageConfig",
        "unmask.core.lineage:run",
        "print and check the chain from an artifact back to the text",
    ),
    "demo": Command(
        "unmask.demo.config:DemoConfig",
        "unmask.demo.run:run",
        "the whole line on the documentation of the installed Python",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit code (2: the user can put it right)."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except UserError as error:
        _complain(error.what, error.hint)
        return 2
    except KeyboardInterrupt:
        _complain("interrupted", "what was finished is kept; the same command goes on from there")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if error.errno not in files.NO_SPACE:
            raise
        where = Path(str(error.filename)).parent if error.filename else "the disk"
        _complain(
            f"no space left in {where} ({error.strerror}); nothing earlier was touched",
            "free some space and run the same command again",
        )
        return 2


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(_help())
        return 0
    if words[0] == "--version":
        sys.stdout.write(f"unmask {__version__}\n")
        return 0
    name, flags = split(words)
    command = COMMANDS[name]
    configs = importlib.import_module("unmask.core.config")
    config_type = _load(command.config)
    try:
        config = configs.parse(config_type, flags, prog=f"unmask {name}")
    except SystemExit:  # after --help
        sys.stdout.write(_rows(_below(name), "\nunmask "))
        raise
    _load(command.run)(config)  # type: ignore[operator]
    return 0


def split(words: Sequence[str]) -> tuple[str, list[str]]:
    """Part the name of a command, one word or two, from its flags; UserError if there is none."""
    name, *rest = words
    two = " ".join(words[:2])
    if two in COMMANDS:
        return two, rest[1:]
    below = _below(name)
    if below and rest and not rest[0].startswith("-"):
        raise UserError(f"unknown command {two}", f"{' or '.join(below)}, or unmask {name} --help")
    if name not in COMMANDS:
        raise UserError(f"unknown command {name}", f"one of: {', '.join(COMMANDS)}")
    return name, rest


def _below(name: str) -> list[str]:
    """Find the commands whose first word this is, and which have a second."""
    return [other for other in COMMANDS if other.startswith(f"{name} ")]


def _load(place: str) -> object:
    module, _, name = place.partition(":")
    found: object = getattr(importlib.import_module(module), name)
    return found


def _help() -> str:
    return (
        "usage: unmask COMMAND [--recipe FILE.toml ...] [--flag value ...]\n\n"
        "The whole life of a RoBERTa encoder, stage by stage; each stage writes a folder.\n\n"
        f"{_rows(COMMANDS, '  ')}\n"
        "unmask COMMAND --help lists the flags. A recipe is a TOML file of flags.\n"
    )


def _rows(names: Iterable[str], before: str) -> str:
    return "".join(f"{before}{name:<15} {COMMANDS[name].help}\n" for name in names)


def _complain(what: str, hint: str) -> None:
    sys.stderr.write(f"error: {what}\nhint: {hint}\n")
