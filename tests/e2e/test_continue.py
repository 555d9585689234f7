"""A model goes on with text of another kind, with its tokenizer extended for it."""

import json
import random

import pytest
import transformers
from safetensors.torch import load_file

pytestmark = pytest.mark.e2e

SUBSTANCES = ["hydroxide", "chlorate", "peroxide", "carbonate", "phosphate"]
WAYS = ["dissolves", "oxidizes", "neutralizes", "precipitates"]


def sentence(dice):
    first, second = dice.sample(SUBSTANCES, 2)
    return f"The {first} {dice.choice(WAYS)} the {second} in the laboratory."


@pytest.fixture(scope="module")
def continued(line):
    """The tiny line's model after a few steps on chemistry, with 60 tokens of its own."""
    dice = random.Random(1)
    documents = ["\n".join(sentence(dice) for _ in range(6)) for _ in range(160)]
    (line.folder / "chemistry.txt").write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    out = ("--out", "chemistry/corpus", "--valid-fraction", "0.1")
    line.good("corpus", "--inputs", "chemistry.txt", *out)
    said = line.good(
        *("tokenizer", "--extend", "pretrain/model", "--corpus", "chemistry/corpus"),
        *("--vocabulary", "360", "--out", "chemistry/tokenizer"),
    ).stderr
    line.good(
        *("tokens", "--corpus", "chemistry/corpus", "--tokenizer", "chemistry/tokenizer"),
        *("--out", "chemistry/tokens"),
    )
    said += line.good(
        *("pretrain", "--init", "pretrain/model", "--tokens", "chemistry/tokens"),
        *("--out", "chemistry/run", "--length", "32", "--batch", "8", "--micro-batch", "4"),
        *("--steps", "40", "--warmup-steps", "2", "--optim.peak-lr", "3e-3"),
        *("--evaluate-every", "40", "--precision", "fp32", "--device", "cpu"),
    ).stderr
    return said


def test_it_says_what_is_new(continued):
    assert "60 ids are new, 300 are those of pretrain/model; a word takes " in continued
    assert "60 tokens are new to pretrain/model: each starts as the mean of" in continued


def test_the_loss_falls(line, continued):
    rows = [
        json.loads(row)
        for row in (line.folder / "chemistry/run/metrics.jsonl").read_text().splitlines()
    ]

    losses = [row["loss"] for row in rows if row["kind"] == "valid"]
    assert losses[-1] < losses[0] - 0.3


def test_transformers_reads_the_model_and_cuts_its_text_with_new_tokens(line, continued):
    folder = str(line.folder / "chemistry/run/model")

    model = transformers.AutoModelForMaskedLM.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer) == 360
    ids = tokenizer("The hydroxide dissolves.")["input_ids"]
    assert max(ids) >= 300
    assert tokenizer.mask_token_id == 299
    old = transformers.AutoTokenizer.from_pretrained(str(line.folder / "pretrain/model"))
    assert len(ids) < len(old("The hydroxide dissolves.")["input_ids"])
    assert tokenizer("The cat sees.")["input_ids"] == old("The cat sees.")["input_ids"]


def test_no_step_leaves_the_old_model_as_it_was(line, continued):
    line.good(
        *("pretrain", "--init", "pretrain/model", "--tokens", "chemistry/tokens"),
        *("--out", "chemistry/still", "--length", "32", "--batch", "8", "--micro-batch", "8"),
        *("--steps", "1", "--warmup-steps", "0", "--optim.peak-lr", "1e-30"),
        *("--optim.weight-decay", "0", "--precision", "fp32", "--device", "cpu"),
    )

    before, after = (
        load_file(line.folder / name / "model.safetensors")
        for name in ("pretrain/model", "chemistry/still/model")
    )
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert after[name][: len(tensor)].equal(tensor), name


def test_the_chain_leads_from_the_new_tokenizer_to_the_old_model(line, continued):
    printed = line.good("lineage", "chemistry/tokenizer").stdout

    assert "pretrain/model" in printed
    assert "text.txt" in printed


def test_tokens_of_a_tokenizer_that_is_no_extension_are_refused(line, continued):
    line.good(
        *("tokenizer", "--corpus", "chemistry/corpus", "--vocabulary", "300"),
        *("--out", "chemistry/other"),
    )
    line.good(
        *("tokens", "--corpus", "chemistry/corpus", "--tokenizer", "chemistry/other"),
        *("--out", "chemistry/other-tokens"),
    )

    done = line(
        *("pretrain", "--init", "pretrain/model", "--tokens", "chemistry/other-tokens"),
        *("--out", "nothing", "--length", "32", "--steps", "1", "--warmup-steps", "0"),
    )

    assert done.returncode == 2
    error, hint = done.stderr.splitlines()[-2:]
    assert "--init pretrain/model: the tokens were made with another vocabulary" in error
    assert "unmask tokenizer --extend" in hint
