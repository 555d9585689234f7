"""What is read of a checkpoint: heads, settings, names of old and doubled ones of new versions."""

import argparse

import pytest
import torch

from unmask.convert import checkpoint, models, writing
from unmask.core.errors import UserError

STEM = "encoder.sentence_encoder"


@pytest.fixture
def write(made, tmp_path):
    """Write a checkpoint of a model, with changes to its tensors and its settings."""

    def write(kind="lm", *, head="mnli", edit=lambda state: None, cfg=None, **settings):
        state = writing.state(made[kind], head)
        edit(state)
        args = writing.arguments(made[kind], head) | settings
        args = {name: value for name, value in args.items() if value is not None}
        settings = (
            {"args": argparse.Namespace(**args)} if cfg is None else {"args": None, "cfg": cfg}
        )
        torch.save(settings | {"model": state}, tmp_path / "model.pt")
        return tmp_path / "model.pt"

    return write


def refusal(call, *words):
    with pytest.raises(UserError) as caught:
        call(*words)
    return f"{caught.value.what} | {caught.value.hint}"


def second_head(state):
    state["classification_heads.rte.dense.weight"] = torch.ones(16, 16)
    state["classification_heads.rte.dense.bias"] = torch.ones(16)
    state["classification_heads.rte.out_proj.weight"] = torch.ones(2, 16)
    state["classification_heads.rte.out_proj.bias"] = torch.ones(2)


def without(*beginnings):
    def edit(state):
        for name in [name for name in state if name.startswith(beginnings)]:
            del state[name]

    return edit


def test_the_sizes_are_those_that_were_written(write, small):
    assert checkpoint.read(write()).config == small


def test_the_only_head_is_taken_and_what_is_left_out_is_said(write, capsys):
    held = checkpoint.read(write("three"))

    assert models.choose(held, None) == "mnli"
    assert "the head mnli is taken; left out: lm_head" in capsys.readouterr().err


def test_of_several_heads_one_must_be_named(write):
    held = checkpoint.read(write("three", edit=second_head))

    assert "holds the heads mnli, rte, lm_head | name one of them by --head" in refusal(
        models.choose, held, None
    )
    assert models.choose(held, "rte") == "rte"
    assert models.classifier(held, "rte", ("a", "b")).out.bias.tolist() == [1, 1]
    assert [held.classes(name) for name in held.heads] == [3, 2]


def test_a_head_that_is_not_there(write):
    held = checkpoint.read(write("three"))

    assert "holds no head wnli | --head names one of: mnli, lm_head" in refusal(
        models.choose, held, "wnli"
    )


def test_the_language_model_beside_a_head_can_be_had(write, made):
    held = checkpoint.read(write(edit=second_head))

    assert models.choose(held, None) == "rte"
    assert models.choose(held, "lm_head") == "lm_head"
    assert torch.equal(models.masked_lm(held).dense.weight, made["lm"].dense.weight)


def test_the_stand_in_of_a_classifier_is_no_language_model(write):
    held = checkpoint.read(write("two"))

    assert "its lm_head is all zeros, so it can fill no mask | --head names one of: mnli" in (
        refusal(models.masked_lm, held)
    )


def test_a_classifier_needs_no_language_model(write, made):
    held = checkpoint.read(write("two", edit=without("encoder.lm_head.")))

    assert models.choose(held, None) == "mnli"
    found = models.classifier(held, "mnli", ("no", "yes"))
    assert torch.equal(found.out.weight, made["two"].out.weight)
    assert "holds no head lm_head" in refusal(models.choose, held, "lm_head")


def test_an_encoder_alone_is_refused(write):
    held = checkpoint.read(write(edit=without("encoder.lm_head.")))

    assert "holds an encoder without a head" in refusal(models.choose, held, None)


def test_half_a_head_is_named(write):
    held = checkpoint.read(
        write("two", edit=without("classification_heads.mnli.dense.b", "encoder.lm_head.bias"))
    )

    assert "classification_heads.mnli.dense.bias 16 is missing" in refusal(
        models.classifier, held, "mnli", ("no", "yes")
    )
    without_output = without("classification_heads.mnli.out_proj")
    held = checkpoint.read(write("two", edit=without_output))
    assert "its head mnli has no out_proj.weight" in refusal(held.classes, "mnli")


def test_an_untied_language_model_is_refused_but_its_classifier_is_not(write):
    def untie(state):
        state["encoder.lm_head.weight"] = state["encoder.lm_head.weight"] + 1
        second_head(state)

    held = checkpoint.read(write(edit=untie))

    assert "encoder.lm_head.weight differs from" in refusal(models.masked_lm, held)
    assert models.classifier(held, "rte", ("a", "b")).labels == ("a", "b")


@pytest.mark.parametrize(
    ("settings", "ranks", "regresses"),
    [
        ({}, False, True),
        ({"criterion": "sentence_ranking"}, True, True),
        ({"ranking_head_name": "mnli"}, True, True),
        ({"ranking_head_name": "another"}, False, True),
    ],
)
def test_one_output_is_a_number_or_ranks_choices(settings, ranks, regresses, write):
    held = checkpoint.read(write("score", **settings))

    assert (held.ranks("mnli"), held.regresses("mnli")) == (ranks, regresses)


def test_two_outputs_never_rank(write):
    held = checkpoint.read(write("two", criterion="sentence_ranking"))

    assert not held.ranks("mnli")
    assert not held.regresses("mnli")


def test_settings_are_read_from_cfg_too(write):
    cfg = {
        "model": {"encoder_attention_heads": 8, "dropout": 0.25, "pooler_dropout": 0.5},
        "criterion": {"_name": "sentence_ranking"},
    }

    held = checkpoint.read(write("score", cfg=cfg))

    assert (held.config.heads, held.config.dropout, held.config.classifier_dropout) == (
        8,
        0.25,
        0.5,
    )
    assert held.ranks("mnli")


def test_settings_that_nothing_records_are_those_of_fairseq(write, capsys):
    unknown = ("dropout", "attention_dropout", "pooler_dropout", "encoder_attention_heads")

    config = checkpoint.read(write(**dict.fromkeys(unknown))).config

    assert (config.dropout, config.attention_dropout, config.classifier_dropout) == (0.1, 0.1, 0)
    assert config.heads == 1
    assert "records no number of attention heads; heads of size 64" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["activation_fn", "pooler_activation_fn"])
def test_another_activation_is_refused(name, write):
    def both():
        models.classifier(checkpoint.read(write("two", **{name: "relu"})), "mnli", ("a", "b"))

    assert f"its {name} is relu" in refusal(both)


def test_the_second_set_of_weights_of_012_is_left_out(write, capsys):
    def double(state):
        state[f"{STEM}.version"] = torch.tensor([3.0])
        for layer in range(2):
            for name in ("in_proj", "out_proj", "fc1", "fc2"):
                state[f"{STEM}.layers.{layer}.{name}_weight"] = torch.zeros(3, 3)
                state[f"{STEM}.layers.{layer}.{name}_bias"] = torch.zeros(3)

    found = models.masked_lm(checkpoint.read(write(edit=double)))

    assert "ignored encoder.sentence_encoder.version (of 17 tensors" in capsys.readouterr().err
    assert torch.equal(found.bias, models.masked_lm(checkpoint.read(write())).bias)


def test_the_row_of_token_types_that_fairseq_has_not_is_zero(write):
    type_1D = models.masked_lm(checkpoint.read(write())).encoder.embedding.token_type.weight

    assert type_1D.shape == (1, 16)
    assert not type_1D.any()


def test_tensors_that_do_not_fit_are_named(write):
    def spoil(state):
        state[f"{STEM}.layers.0.fc2.bias"] = torch.zeros(5)
        state[f"{STEM}.layers.1.fc3.bias"] = torch.zeros(16)

    said = refusal(models.masked_lm, checkpoint.read(write(edit=spoil)))

    assert f"model.pt: does not hold a RoBERTa: {STEM}.layers.0.fc2.bias is 5, expected 16" in said
    assert f"{STEM}.layers.1.fc3.bias 16 is unexpected | only post-LN" in said


def test_a_pre_norm_model_is_refused(write):
    def norm(state):
        state[f"{STEM}.layer_norm.weight"] = torch.ones(16)

    held = checkpoint.read(write(edit=norm))

    assert "layer_norm.weight 16 is unexpected | only post-LN" in refusal(models.masked_lm, held)


@pytest.mark.parametrize("content", [{"weights": 1}, [1, 2], {"model": {"a": "text"}}])
def test_a_file_without_a_model_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "model.pt")

    assert "holds no fairseq model" in refusal(checkpoint.read, tmp_path / "model.pt")


def test_a_model_that_is_no_roberta_is_refused(tmp_path):
    torch.save({"model": {"conv.weight": torch.ones(2)}}, tmp_path / "model.pt")

    assert "embed_tokens.weight is missing" in refusal(checkpoint.read, tmp_path / "model.pt")
