"""`unmask finetune` on a task, for measuring: the only file that knows how ours is built."""

import numpy as np
import torch
from finetune_cases import CHECKED, GoOn, Work

from unmask.finetune import families
from unmask.finetune.build import build_trainer
from unmask.finetune.forward import logits
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train import memory
from unmask.train.ranks import Ranks


class Training:
    """A training as the command sets it up, without looks at dev, checkpoints and rows."""

    def __init__(self, work: Work) -> None:
        memory.keep_freed()
        tokenizer = Tokenizer.load(work.folder)
        task = families.learnt(work.config, tokenizer)
        self._trainer = build_trainer(
            work.config, task, tokenizer, Ranks(torch.device(work.device))
        )

    @torch.no_grad()
    def loss(self) -> float:
        """Mean over some examples, each by itself, in fp32 without dropout."""
        trainer, examples = self._trainer, self._trainer.task.train
        model, total = trainer.model.eval(), 0.0
        for index in range(CHECKED):
            index_B = np.array([index])
            inputs = trainer.maker(examples.sequences, index_B).to(trainer.ranks.device)
            targets = torch.from_numpy(examples.targets_of(index_B)).to(trainer.ranks.device)
            total += float(trainer.task.loss(logits(model, inputs), inputs, targets))
        return total / CHECKED

    def run(self, go_on: GoOn) -> None:
        """Train as long as it may."""
        trainer, tokens = self._trainer, 0
        while go_on(tokens):
            tokens = self._tokens(trainer.steps_done)
            trainer.step()

    def _tokens(self, step: int) -> int:
        """What a step learns from, padding left out."""
        batches = self._trainer.batches
        _, index_S = batches.order.at(step * batches.batch, batches.batch)
        return int(batches.examples.lengths_N[index_S].sum())
