from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tokenizers.pre_tokenizers import ByteLevel

from unmask.core.errors import UserError
from unmask.model import weights
from unmask.model.heads import MaskedLM, Pretraining
from unmask.model.init import initialise
from unmask.pretrain import setup
from unmask.pretrain.config import PretrainConfig, ShapeConfig
from unmask.pretrain.setup import build_trainer, model_config, resolved
from unmask.tokenizer.build import byte_level_bpe, word_piece
from unmask.train.config import ParallelConfig
from unmask.train.ranks import Ranks

from .conftest import CPU, FakePlan, lengths, masker, step


def tokenizers_of_both_families():
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
    yield byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])
    yield word_piece({token: id_ for id_, token in enumerate(pieces)}, lowercase=True)


def test_a_model_takes_family_vocabulary_and_padding_from_its_tokenizer():
    config = PretrainConfig(tokens=Path("t"), out=Path("o"))

    roberta, bert = (model_config(config, each) for each in tokenizers_of_both_families())

    assert (roberta.family, roberta.vocabulary, roberta.pad_id) == ("roberta", 261, 1)
    assert (roberta.norm_eps, roberta.types, roberta.position_rows) == (1e-5, 1, 514)
    assert (bert.family, bert.vocabulary, bert.pad_id) == ("bert", 6, 0)
    assert (bert.norm_eps, bert.types, bert.position_rows) == (1e-12, 2, 512)


def test_a_family_that_is_asked_for_is_taken():
    config = PretrainConfig(tokens=Path("t"), out=Path("o"), family="roberta")

    _, word_pieces = tokenizers_of_both_families()

    assert model_config(config, word_pieces).family == "roberta"


class Folder:
    """A tokens folder that was planned as full sentences of 64 tokens."""

    path = Path("tokens")

    def __init__(self, **facts):
        facts = {"plan": "full-sentences", "length": 64, "valid_tokens": 9} | facts
        self.manifest = SimpleNamespace(facts=facts)

    def shards(self, split):
        return split

    def require_tokenizer(self, fingerprint, of):
        pass


def config(**flags):
    shape = ShapeConfig(layers=1, width=16, heads=2, feed_forward=24, max_length=128)
    given = {"model": shape, "device": "cpu", "precision": "fp32", "steps": 10, "warmup_steps": 0}
    return PretrainConfig(tokens=Path("tokens"), out=Path("o"), **(given | flags))


def test_plan_and_length_are_those_the_tokens_were_planned_with():
    ours = resolved(config(), Folder())

    assert (ours.plan, ours.length) == ("full-sentences", 64)


def test_a_plan_and_a_length_that_are_given_are_taken():
    ours = resolved(config(plan="line", length=32), Folder())

    assert (ours.plan, ours.length) == ("line", 32)


@pytest.mark.parametrize(
    ("flags", "facts", "said"),
    [
        ({"length": 129}, {}, "--length 129: --model.max-length reads at most 128"),
        ({}, {"length": 512}, "tokens: length 512: --model.max-length reads at most 128"),
    ],
)
def test_blocks_that_the_model_cannot_read_are_refused(flags, facts, said):
    with pytest.raises(UserError) as caught:
        resolved(config(**flags), Folder(**facts))

    assert caught.value.what == said
    assert caught.value.hint == "give --length 128, or less"


def saved(folder, kind, family):
    """A model folder with a tokenizer in it, to go on from."""
    tokenizer = next(t for t in tokenizers_of_both_families() if t.family == family)
    model = kind(model_config(config(), tokenizer))
    initialise(model, seed=3)
    weights.save(model, folder)
    tokenizer.save(folder)
    return model


def test_a_model_that_is_continued_brings_its_own_length(tmp_path):
    saved(tmp_path, MaskedLM, "roberta")

    with pytest.raises(UserError) as caught:
        resolved(config(init=tmp_path, model=ShapeConfig(), length=512), Folder())

    assert caught.value.what == f"--length 512: {tmp_path} reads at most 128"


@pytest.fixture
def planned(monkeypatch):
    """Put fake plans in the place of real ones, one for each split."""

    def install(**plans):
        def choose(name, shards, length, special):
            return plans[shards]

        monkeypatch.setattr(setup, "choose", choose)
        monkeypatch.setattr(setup.Masker, "of", lambda *_: masker)

    return install


ALONE = Ranks(CPU)


def built(family="roberta", folder=None, ranks=ALONE, **flags):
    tokenizer = next(t for t in tokenizers_of_both_families() if t.family == family)
    folder = folder or Folder()
    return build_trainer(resolved(config(**flags), folder), folder, tokenizer, ranks)


PAIRS = FakePlan(lengths(), pairs=True)
NONE = FakePlan(lengths(0))


@pytest.mark.parametrize("plan", ["segment-pair", "sentence-pair"])
def test_plans_of_pairs_train_both_objectives(plan, planned):
    planned(train=PAIRS, valid=PAIRS)

    assert type(built(plan=plan).model) is Pretraining
    assert type(built(plan="full-sentences").model) is MaskedLM


@pytest.mark.parametrize(("family", "typed"), [("roberta", False), ("bert", True)])
def test_only_bert_is_fed_the_types_of_segments(family, typed, planned):
    planned(train=PAIRS, valid=PAIRS)

    trainer = built(family, plan="segment-pair")

    for batches in (trainer.train, trainer.valid):
        assert (step(batches)[0].types_BL is not None) is typed


def test_a_train_split_too_small_for_a_block_is_refused(planned):
    planned(train=NONE, valid=NONE)

    with pytest.raises(UserError) as caught:
        built(plan="hf")

    said = "tokens: its train split is too small for one block of hf, length 64"
    assert caught.value.what == said
    assert "--length" in caught.value.hint


@pytest.mark.parametrize("tokens", [0, 9])
def test_a_valid_split_too_small_for_a_block_is_not_measured_and_said(tokens, planned, capsys):
    planned(train=FakePlan(lengths()), valid=NONE)

    trainer = built(plan="hf", folder=Folder(valid_tokens=tokens))

    assert trainer.valid is None
    assert trainer.evaluate() is None
    said = "valid: too small for one block of hf, length 64; nothing" in capsys.readouterr().err
    assert said is (tokens > 0)


def test_what_becomes_of_the_text_is_said(planned, capsys):
    planned(train=FakePlan(np.full(20, 24, dtype=np.uint32)), valid=NONE)

    built(plan="line", length=32)

    assert "train: line, length 32: 20 blocks, 480 tokens, 25.0% padding" in capsys.readouterr().err


def test_how_many_short_blocks_make_a_step_is_said(planned, capsys):
    planned(train=FakePlan(np.full(20, 16, dtype=np.uint32), balanced=True), valid=NONE)

    built(plan="line", length=32)

    said = "step: 512 blocks, which hold the tokens of 256 full ones"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "kept"), [(MaskedLM, False), (Pretraining, True)])
def test_a_sentence_head_is_kept_where_the_model_to_go_on_from_has_one(
    kind, kept, planned, tmp_path, capsys
):
    planned(train=PAIRS, valid=PAIRS)
    before = saved(tmp_path, kind, "bert")

    after = built("bert", init=tmp_path, model=ShapeConfig(), plan="segment-pair").model

    said = f"{tmp_path}: holds no next-sentence head, so that one starts from random weights"
    assert (said in capsys.readouterr().err) is not kept
    lm = before.lm if kept else before
    assert torch.equal(after.lm.dense.weight, lm.dense.weight)
    if kept:
        assert torch.equal(after.next_sentence.out.weight, before.next_sentence.out.weight)


def test_a_sentence_head_is_left_behind_where_the_plan_has_no_pairs(planned, tmp_path):
    planned(train=FakePlan(lengths()), valid=NONE)
    before = saved(tmp_path, Pretraining, "bert")

    after = built("bert", init=tmp_path, model=ShapeConfig(), plan="line").model

    assert type(after) is MaskedLM
    assert torch.equal(after.dense.weight, before.lm.dense.weight)


def test_a_batch_that_is_balanced_cannot_grow(planned):
    planned(train=FakePlan(lengths(), balanced=True), valid=NONE)

    with pytest.raises(UserError) as caught:
        built(plan="line", length=32, batch_start=16, batch_warmup_steps=2)

    said = "--batch-start 16: the steps of plan line are balanced for one batch, which cannot grow"
    assert caught.value.what == said
    assert "another --plan" in caught.value.hint


def test_a_growing_batch_that_processes_cannot_share_is_refused_at_once(planned):
    planned(train=FakePlan(lengths()), valid=NONE)
    growing = {"micro_batch": 1, "batch_start": 2, "batch_warmup_steps": 4}

    with pytest.raises(UserError) as caught:
        built(ranks=Ranks(CPU, 0, 2), **growing)

    assert caught.value.what == (
        "--micro-batch 1 with --batch-start 2: a growing batch cannot be shared by 2 processes "
        "block by block"
    )
    assert "--micro-batch 2" in caught.value.hint
    assert built(**growing).config.micro_batch == 1


def test_what_the_config_says_of_a_step_takes_effect(planned):
    planned(train=FakePlan(lengths()), valid=NONE)
    model = ShapeConfig(layers=3, width=16, heads=2, feed_forward=24, max_length=128)

    plain = built(model=model)
    other = built(model=model, recompute=True, steps=None, budget_hours=2.0)

    assert plain.objective.encoder.recompute is False
    assert other.objective.encoder.recompute is True
    assert (plain.total, plain.deadline, plain.scale) == (10, None, None)
    assert other.deadline is not None
    assert other.config.steps is None


def test_without_steps_and_without_a_deadline_there_are_a_hundred_thousand():
    assert resolved(config(steps=None), Folder()).steps == 100_000
    assert resolved(config(steps=None, budget_hours=1.0), Folder()).steps is None


def test_sharding_with_one_process_is_refused(planned):
    planned(train=FakePlan(lengths()), valid=NONE)

    with pytest.raises(UserError, match=r"--parallel\.shard zero2: there is one process"):
        built(parallel=ParallelConfig(shard="zero2"))


@pytest.mark.parametrize("blocks", [5, 19, 119])
def test_any_number_of_held_out_blocks_can_be_shared_by_processes(blocks, planned):
    planned(train=FakePlan(lengths()), valid=FakePlan(lengths(blocks)))

    valid = built(batch=8, micro_batch=1).valid

    for ranks in (2, 3, 5):
        parts = [list(valid.after(0, blocks, rank=rank, ranks=ranks)) for rank in range(ranks)]
        assert len({len(part) for part in parts}) == 1
        assert sum(len(batch.ids_BL) for part in parts for batch in part) == blocks
