"""The command line: command -> (config class, run function), imported only when called."""

import importlib
import os
import sys
from collections.abc import Sequence
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
    "pretrain": Command(
        "unmask.pretrain.config:PretrainConfig",
        "unmask.pretrain.run:run",
        "masked-language-model pretraining, resumable to the bit",
    ),
    "finetune": Command(
        "unmask.finetune.config:FinetuneConfig",
        "unmask.finetune.run:run",
        "train a classifier on labelled text, keep the best epoch",
    ),
    "evaluate": Command(
        "unmask.finetune.config:EvaluateConfig",
        "unmask.finetune.evaluate:run",
        "score a fine-tuned model on labelled text",
    ),
    "export": Command(
        "unmask.export.config:ExportConfig",
        "unmask.export.run:run",
        "model folder to ONNX, with a parity report",
    ),
    "predict": Command(
        "unmask.infer.config:PredictConfig",
        "unmask.infer.run:run",
        "fill masks or classify: text in, JSON lines out",
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
    command = COMMANDS.get(words[0])
    if command is None:
        raise UserError(f"unknown command {words[0]}", f"one of: {', '.join(COMMANDS)}")
    configs = importlib.import_module("unmask.core.config")
    config_type = _load(command.config)
    config = configs.parse(config_type, words[1:], prog=f"unmask {words[0]}")
    _load(command.run)(config)  # type: ignore[operator]
    return 0


def _load(place: str) -> object:
    module, _, name = place.partition(":")
    found: object = getattr(importlib.import_module(module), name)
    return found


def _help() -> str:
    rows = "".join(f"  {name:<11}{command.help}\n" for name, command in COMMANDS.items())
    return (
        "usage: unmask COMMAND [--recipe FILE.toml ...] [--flag value ...]\n\n"
        "The whole life of a RoBERTa encoder, stage by stage; each stage writes a folder.\n\n"
        f"{rows}\n"
        "unmask COMMAND --help lists the flags. A recipe is a TOML file of flags.\n"
    )


def _complain(what: str, hint: str) -> None:
    sys.stderr.write(f"error: {what}\nhint: {hint}\n")
