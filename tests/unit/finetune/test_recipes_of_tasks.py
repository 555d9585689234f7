"""Every recipe of a fine-tuning is understood, and has the numbers of its source."""

from pathlib import Path

import pytest

from unmask.core import config as configs
from unmask.finetune.config import FinetuneConfig

FOLDER = Path(__file__).parents[3] / "recipes" / "finetune"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.toml"))
FAIRSEQ = {
    "mnli": (1e-5, 32, 7432, 123873),
    "qnli": (1e-5, 32, 1986, 33112),
    "qqp": (1e-5, 32, 28318, 113272),
    "rte": (2e-5, 16, 122, 2036),
    "sst2": (1e-5, 32, 1256, 20935),
    "mrpc": (1e-5, 16, 137, 2296),
    "cola": (1e-5, 16, 320, 5336),
    "stsb": (2e-5, 16, 214, 3598),
}
"""Peak learning rate, batch, warm-up and updates."""


def parsed(name):
    words = ["--recipe", str(FOLDER / f"{name}.toml"), "--data", "d", "--model", "m", "--out", "o"]
    return configs.parse(FinetuneConfig, words, prog="unmask finetune")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_understood_and_tells_its_source_and_command(name):
    parsed(name)
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")

    assert "# Source:  " in text
    assert f"--recipe recipes/finetune/{name}.toml" in text


@pytest.mark.parametrize("name", FAIRSEQ)
def test_fairseqs_recipes_are_its_own(name):
    config = parsed(f"fairseq-{name}")

    found = config.optim.peak_lr, config.batch, config.warmup_steps, config.steps
    assert found == FAIRSEQ[name]
    assert (config.task, config.optim.weight_decay, config.dropout) == (name, 0.1, 0.1)
    assert (config.optim.beta2, config.optim.eps, config.optim.clip_norm) == (0.98, 1e-6, 0.0)
    share = config.warmup_steps / config.steps
    assert share == pytest.approx(0.25 if name == "qqp" else 0.06, abs=0.001)


def test_the_paper_is_table_10():
    glue, squad, race = (parsed(f"paper-{name}") for name in ("glue", "squad", "race"))

    assert glue.sweep_lr == (1e-5, 2e-5, 3e-5)
    assert glue.sweep_batch == (16, 32)
    assert (glue.seeds, glue.epochs, glue.optim.weight_decay) == (5, 10, 0.1)
    assert (squad.epochs, squad.batch, squad.optim.peak_lr) == (2, 48, 1.5e-5)
    assert (race.epochs, race.batch, race.optim.peak_lr) == (4, 16, 1e-5)
    assert {one.warmup_share for one in (glue, squad, race)} == {0.06}
