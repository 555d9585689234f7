"""The model of a fine-tuning as a folder: collected from all processes, written by the first."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.manifests import Input
from unmask.finetune.card import model_card
from unmask.finetune.loop import Best, Loop
from unmask.finetune.trainer import Trainer
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train import parallel

STAGE = "finetune"


@dataclasses.dataclass(frozen=True, slots=True)
class Publisher:
    """Writes the model folder; every process has one, and all its calls are made by all."""

    trainer: Trainer
    tokenizer: Tokenizer
    inputs: Sequence[Input]

    def write(self, best: Best, loop: Loop, settled: dict[str, Any]) -> None:
        """Write `model/`, with its card and what `evaluate` and `predict` need to know."""
        trainer, head = self.trainer, self.trainer.task.head
        state = parallel.whole(trainer.model)
        if not trainer.ranks.first:
            return
        model = trainer.rows.widened(state, float(trainer.decayed), head)
        facts = {
            "task": trainer.config.task,
            "metric": trainer.task.metric,
            "best_step": best.step,
            "best_epoch": loop.plan.epochs(best.step),
            "restarts": loop.attempt,
            "stuck": loop.stuck,
            **trainer.task.facts,
            **settled,
            **{f"dev_{name}": score for name, score in best.scores.items()},
        }
        with manifests.building(trainer.config.out / "model") as folder:
            weights.save(model, folder)
            self.tokenizer.save(folder, model_max_length=model.config.max_length)
            card = model_card(trainer.config, trainer.task, facts)
            (folder / "README.md").write_text(card, encoding="utf-8")
            manifests.write(folder, STAGE, configs.plain(trainer.config), self.inputs, facts)
