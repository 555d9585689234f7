"""Every recipe is understood, tells where it comes from, and has the sizes that it names."""

import dataclasses
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from unmask.core import config as configs
from unmask.model.presets import BERT, ROBERTA
from unmask.pretrain.config import PretrainConfig

ROOT = Path(__file__).parents[2]
RECIPES = {
    path.stem: path for path in sorted((ROOT / "recipes").glob("*.toml")) if path.stem != "smoke"
}
SCRIPTS = [ROOT / "recipes" / "nodes.sh", ROOT / "recipes" / "slurm.sbatch"]
HEAD = ("Source", "Command", "Machine", "Time", "Score")

PARAMETERS = {
    "roberta": {
        "tiny": 6_963_673,
        "mini": 16_275_801,
        "small": 38_923_865,
        "medium": 51_533_401,
        "base": 124_697_433,
        "large": 355_412_057,
    },
    "bert": {
        "tiny": 4_416_698,
        "mini": 11_201_594,
        "small": 28_795_194,
        "medium": 41_404_730,
        "base": 109_514_298,
        "large": 335_174_458,
    },
}
"""With a tied head; counted from published models (tests/unit/model/test_presets.py)."""

SIZED = re.compile(r"(roberta|bert)-(tiny|mini|small|medium|base|large)-(30k|paper|fairseq)")
OTHERS = {"wikipedia-6-epochs": ("roberta", "base"), "one-gpu-one-day": ("roberta", "medium")}


def parsed(name, *more):
    words = ["--recipe", str(RECIPES[name]), "--tokens", "t", "--out", "o", *more]
    return configs.parse(PretrainConfig, words, prog="unmask pretrain")


def head(path):
    """The comment at the head, by its fields."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:2] != "#!"]
    comment = []
    for line in lines:
        if not line.startswith("#"):
            break
        comment.append(line[2:])
    fields, last = {}, None
    for line in comment:
        if match := re.match(r"([A-Z][a-z]+): +(.+)", line):
            last = match[1]
            fields[last] = match[2]
        elif line.startswith("   ") and last:
            fields[last] += " " + line.strip()
        else:
            last = None
    return fields


def sized():
    named = {name: match.groups()[:2] for name in RECIPES if (match := SIZED.fullmatch(name))}
    return named | OTHERS


def test_the_recipes_that_people_look_for_are_there():
    thirty = {f"{family}-{size}-30k" for family in PARAMETERS for size in PARAMETERS[family]}

    assert thirty | set(OTHERS) | {
        "roberta-base-paper",
        "roberta-large-paper",
        "roberta-base-fairseq",
        "laptop",
        "continue-from-checkpoint",
    } == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_understood_and_its_batch_can_be_shared_by_two(name):
    config = parsed(name)

    assert config.batch % (2 * config.micro_batch) == 0
    assert (config.steps is None) == (name in ("laptop", "one-gpu-one-day"))


@pytest.mark.parametrize("path", [*RECIPES.values(), *SCRIPTS], ids=lambda path: path.name)
def test_the_head_tells_source_command_machine_time_and_score(path):
    fields = head(path)

    assert [name for name in fields if name in HEAD] == list(HEAD)
    assert f"recipes/{path.name}" in fields["Command"]


@pytest.mark.parametrize("name", sized())
def test_sizes_give_the_published_number_of_parameters(name):
    family, size = sized()[name]
    config = parsed(name)
    assert config.family == (None if family == "roberta" else "bert")

    shape = {
        key: getattr(config.model, key)
        for key in ("layers", "width", "heads", "feed_forward", "max_length")
    }
    preset = (ROBERTA if family == "roberta" else BERT)["tiny"]
    parameters = dataclasses.replace(preset, **shape).parameters()

    assert parameters == PARAMETERS[family][size]
    assert f"{parameters:,} parameters" in RECIPES[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in RECIPES if name.endswith("30k")])
def test_the_thirty_thousand_steps_are_those_of_their_source(name):
    config = parsed(name)

    assert (config.batch, config.steps, config.warmup_steps) == (8192, 30_000, 1800)
    assert (config.optim.peak_lr, config.optim.beta2, config.optim.eps) == (1e-3, 0.98, 1e-6)
    assert (config.optim.decay, config.optim.clip_norm) == ("matrices", 1.0)
    assert (config.parallel.shard, config.schedule.shape) == ("zero2", "linear")


@pytest.mark.parametrize(
    ("name", "warmup", "rate"),
    [("roberta-base-paper", 24_000, 6e-4), ("roberta-large-paper", 30_000, 4e-4)],
)
def test_the_paper_is_table_9(name, warmup, rate):
    config = parsed(name)

    assert (config.warmup_steps, config.optim.peak_lr) == (warmup, rate)
    assert (config.batch, config.steps, config.length) == (8192, 500_000, 512)
    assert (config.optim.clip_norm, config.optim.decay) == (0.0, "all")
    assert (config.model.dropout, config.model.attention_dropout) == (0.1, 0.1)


def stub(folder, name, text):
    path = folder / name
    path.write_text(f"#!/usr/bin/env bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def environment(folder, **more):
    return os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"} | more


def test_the_laptop_can_be_given_steps_instead_of_its_hour():
    config = parsed("laptop", "--steps", "2000", "--budget-hours", "None")

    assert (config.steps, config.budget_hours) == (2000, None)


def test_several_machines_are_started_by_one_command(tmp_path):
    stub(tmp_path, "torchrun", 'printf "%s\\n" "$@"')
    words = ["bash", str(SCRIPTS[0]), "--tokens", "a folder"]

    done = subprocess.run(
        words,
        env=environment(tmp_path, HEAD="node0:29500", NODES="4"),
        capture_output=True,
        text=True,
        check=True,
    )
    refused = subprocess.run(
        words, env=environment(tmp_path, NODES="4"), capture_output=True, text=True, check=False
    )

    given = done.stdout.splitlines()
    assert given[:4] == ["--nnodes", "4", "--nproc-per-node", "gpu"]
    assert given[-5:] == ["-m", "unmask", "pretrain", "--tokens", "a folder"]
    assert refused.returncode != 0
    assert "the address of the first machine" in refused.stderr


@pytest.fixture
def slurm(tmp_path):
    """Commands that behave as Slurm's do, as far as the script sees."""
    told = tmp_path / "told"
    stub(
        tmp_path,
        "scontrol",
        f'if [ "$1" = show ]; then echo node7; echo node8; else echo "$@" >> {told}; fi',
    )

    def start(srun):
        stub(tmp_path, "srun", srun)
        more = {"SLURM_JOB_NODELIST": "node[7-8]", "SLURM_NNODES": "2", "SLURM_JOB_ID": "40123"}
        return subprocess.Popen(
            ["bash", str(SCRIPTS[1]), "--tokens", "t"],
            env=environment(tmp_path, **more),
            stdout=subprocess.PIPE,
            text=True,
        )

    return start, told, tmp_path


def test_a_job_that_ends_is_not_queued_again(slurm):
    start, told, _ = slurm

    process = start('echo "$@"; exit 3')
    out, _ = process.communicate(timeout=20)

    assert process.returncode == 3
    assert "--rdzv-endpoint node7:20123" in out
    assert out.strip().endswith("-m unmask pretrain --tokens t")
    assert not told.exists()


def test_a_job_whose_time_is_up_saves_and_is_queued_again(slurm):
    start, told, folder = slurm
    ready, saved = folder / "ready", folder / "saved"

    process = start(
        f"trap 'sleep 0.2; echo saved >> {saved}; exit 143' TERM\n"
        f"touch {ready}\nfor _ in $(seq 400); do sleep 0.05; done"
    )
    deadline = time.monotonic() + 20
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode == 0
    assert saved.read_text() == "saved\n"
    assert told.read_text() == "requeue 40123\n"
