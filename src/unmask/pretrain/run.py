"""`unmask pretrain`: token shards in, a model folder out; the same command resumes."""

from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Input
from unmask.core.progress import bar, say
from unmask.core.runs import Run
from unmask.model import weights
from unmask.pretrain.card import model_card, publishable
from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.evaluate import HeldOut
from unmask.pretrain.meter import Meter, note
from unmask.pretrain.setup import build_trainer, open_data, resolved
from unmask.pretrain.trainer import Trainer
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train import checkpoint
from unmask.train.step import due, require_finite
from unmask.train.stopping import stop_requested

STAGE = "pretrain"


def run(config: PretrainConfig) -> None:
    """Train to the last step, going on from the newest whole checkpoint; write `model/`."""
    tokens, tokenizer, tokenizer_path = open_data(config)
    config = resolved(config, tokens)
    out = config.out / "model"
    inputs = [
        manifests.artifact_input("tokens", config.tokens, out),
        manifests.artifact_input("tokenizer", tokenizer_path, out),
    ]
    if config.init is not None:
        inputs += manifests.folder_inputs("model", config.init, out)
    if manifests.is_done(out, STAGE, configs.plain(config), inputs, force=config.force):
        return
    trainer = build_trainer(config, tokens, tokenizer)
    run = Run.open(config.out, config, force=config.force)
    _resume(run, trainer, inputs)
    last = _train(run, trainer, inputs)
    _write_model(out, trainer, tokenizer, inputs, last)
    say(f"model: {out}")


def _train(run: Run, trainer: Trainer, inputs: list[Input]) -> HeldOut | None:
    config = trainer.config
    scores = _evaluate(run, trainer)
    meter = Meter()
    progress_bar = bar("pretrain", config.steps, done=trainer.steps_done)
    with stop_requested() as stop, progress_bar as progress:
        while trainer.steps_done < config.steps:
            meter.add(trainer.step())
            step = trainer.steps_done
            saving = due(step, config.checkpoint_every, config.steps) or stop()
            if saving or due(step, config.log_every, config.steps):
                row = meter.row(step, trainer.lr)
                require_finite(row["loss"] + row.get("nsp_loss", 0.0), step)
                run.log(row)
                progress.advance(note=note(row))
            else:
                progress.advance()
            if saving:
                _save(run, trainer, inputs)
            if stop():
                raise KeyboardInterrupt
            if due(step, config.evaluate_every, config.steps):
                scores = _evaluate(run, trainer)
                meter.restart()
    return scores


def _evaluate(run: Run, trainer: Trainer) -> HeldOut | None:
    scores = trainer.evaluate()
    if scores is not None:
        run.log({"kind": "valid", "step": trainer.steps_done} | scores.row())
        say(f"step {trainer.steps_done:,}: held-out {scores.said()}")
    return scores


def _save(run: Run, trainer: Trainer, inputs: list[Input]) -> None:
    checkpoint.save(
        run.checkpoints,
        trainer.steps_done,
        trainer.model,
        trainer.optimizer,
        {"inputs": _identities(inputs)},
        keep=trainer.config.keep_checkpoints,
    )


def _resume(run: Run, trainer: Trainer, inputs: list[Input]) -> None:
    newest = checkpoint.latest(run.checkpoints)
    if newest is None:
        return
    state = checkpoint.read_state(newest)
    if state["inputs"] != _identities(inputs):
        raise UserError(
            f"{run.folder}: its run was begun on other tokens than these",
            "bring the tokens back, or start anew with --force",
        )
    checkpoint.restore(newest, trainer.model, trainer.optimizer)
    trainer.steps_done = state["step"]
    run.log({"kind": "resume", "step": trainer.steps_done})
    say(f"going on from step {trainer.steps_done:,}")


def _identities(inputs: list[Input]) -> list[str]:
    return [f"{item.role} {item.sha256}" for item in inputs]


def _write_model(
    out: Path,
    trainer: Trainer,
    tokenizer: Tokenizer,
    inputs: list[Input],
    scores: HeldOut | None,
) -> None:
    facts: dict[str, Any] = {"steps": trainer.steps_done}
    if scores is not None:
        facts |= {f"valid_{name}": value for name, value in scores.row().items()}
    model = publishable(trainer.model)
    with manifests.building(out) as folder:
        weights.save(model, folder)
        tokenizer.save(folder, model_max_length=model.config.max_length)
        card = model_card(trainer, scores)
        (folder / "README.md").write_text(card, encoding="utf-8")
        manifests.write(folder, STAGE, configs.plain(trainer.config), inputs, facts)
