"""`unmask demo`: the whole line, and a table of what came out."""

import time

from rich.console import Console

from unmask.core.errors import UserError
from unmask.demo.config import DemoConfig
from unmask.demo.stages import call, commands
from unmask.demo.table import Outcome, table
from unmask.demo.text import gather


def run(config: DemoConfig) -> None:
    """Run every stage as its own command; UserError if pretraining did not help."""
    started = time.monotonic()
    gather(
        config.out / "text",
        seed=config.seed,
        budget_bytes=config.text_bytes,
        train=config.train_passages,
    )
    for command in commands(config):
        call(command)
    outcome = Outcome.read(config)
    Console().print(table(outcome, time.monotonic() - started))
    if outcome.gain <= 0:
        raise UserError(
            f"pretraining did not help: accuracy {outcome.pretrained['accuracy']:.1%} with it, "
            f"{outcome.random['accuracy']:.1%} without",
            "pretrain for more --steps, or on more --text-bytes",
        )
