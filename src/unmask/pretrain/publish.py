"""The model of a run as a folder: collected from all processes, written by the first."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import locations, manifests
from unmask.core.manifests import Input
from unmask.model import weights
from unmask.model.heads import Model, build
from unmask.pretrain.card import model_card, publishable
from unmask.pretrain.evaluate import HeldOut
from unmask.pretrain.trainer import Trainer
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train import parallel

STAGE = "pretrain"


@dataclasses.dataclass(frozen=True, slots=True)
class Publisher:
    """Writes model folders; every process has one, and all its calls are made by all."""

    trainer: Trainer
    tokenizer: Tokenizer
    inputs: Sequence[Input]
    """What the model is made from, as seen from the run's `model/`."""

    def finished(self, scores: HeldOut | None) -> None:
        """Write the run's `model/`, with its card."""
        facts = {} if scores is None else {f"valid_{k}": v for k, v in scores.row().items()}
        self._write(self._home, facts, lambda model: model_card(self.trainer, model, scores))

    def as_it_is(self, out: Path) -> None:
        """Write the model in the middle of its training, without a card."""
        self._write(out, {}, None)

    def _write(self, out: Path, facts: dict[str, Any], card: Callable[[Model], str] | None) -> None:
        trainer = self.trainer
        state = parallel.whole(trainer.model)
        if not trainer.ranks.first:
            return
        whole = build(type(trainer.model), trainer.model.config)
        whole.load_state_dict(state)
        model = publishable(whole)
        with manifests.building(out) as folder:
            weights.save(model, folder)
            self.tokenizer.save(folder, model_max_length=model.config.max_length)
            if card is not None:
                (folder / "README.md").write_text(card(model), encoding="utf-8")
            facts = {"steps": trainer.steps_done} | facts
            config = configs.plain(trainer.config)
            manifests.write(folder, STAGE, config, self._inputs(out), facts)

    @property
    def _home(self) -> Path:
        return self.trainer.config.out / "model"

    def _inputs(self, out: Path) -> list[Input]:
        """The same inputs, as seen from another folder."""
        return [
            dataclasses.replace(
                item, path=locations.link(locations.follow(self._home.resolve(), item.path), out)
            )
            if item.kind == "artifact"
            else item
            for item in self.inputs
        ]
