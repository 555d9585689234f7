"""The checkpoints that `unmask convert` writes, against transformers for the same weights.

What fairseq's loader asks for is written down here from its description (checkpoint_utils.py,
models/roberta/model.py).
"""

import argparse

import pytest
import torch

from unmask.convert.config import ConvertConfig
from unmask.convert.run import run

from .fairseq_models import KINDS, fairseq_state, logits, save, sequences, theirs


@pytest.mark.parametrize("typed", [False, True], ids=["untyped", "typed"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_transformers_becomes_a_checkpoint_with_its_logits(kind, typed, tmp_path):
    model = theirs(kind, typed=typed)
    save(model, tmp_path / "folder")

    run(ConvertConfig(model=tmp_path / "folder", out=tmp_path / "out"))

    held = torch.load(tmp_path / "out" / "model.pt", weights_only=False)
    copy = theirs(kind)
    names = fairseq_state(copy, "sentence_classification_head")
    for name, tensor in names.items():
        tensor.copy_(held["model"][name])
    spare = held["model"].keys() - names.keys()
    assert all(name.startswith("encoder.lm_head.") for name in spare)
    assert bool(spare) == (kind != "lm")
    dice = torch.Generator().manual_seed(3)
    for _ in range(4):
        ids = sequences(dice)
        expected = logits(model, ids, kind)
        torch.testing.assert_close(logits(copy, ids, kind), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_checkpoint_is_what_the_loader_of_fairseq_asks_for(kind, tmp_path):
    save(theirs(kind), tmp_path / "folder")
    run(ConvertConfig(model=tmp_path / "folder", out=tmp_path / "out"))

    held = torch.load(tmp_path / "out" / "model.pt", weights_only=False)

    # _upgrade_state_dict: nothing may be left for it to derive from keys of before 0.6.
    last = held["optimizer_history"][-1]
    assert {"optimizer_name", "lr_scheduler_state", "num_updates", "criterion_name"} <= last.keys()
    assert "optimizer" not in last
    assert held["extra_state"]["train_iterator"]["epoch"] == 1
    assert held["last_optimizer_state"] is None
    # build_model: sizes by args, rows by the dictionary; load_state_dict is strict.
    args = held["args"]
    assert isinstance(args, argparse.Namespace)
    assert (args.task, args.arch, args.bpe) == ("masked_lm", "roberta", "gpt2")
    rows = 4 + len((tmp_path / "out" / "dict.txt").read_text().splitlines()) + 1
    shapes = {name: tuple(tensor.shape) for name, tensor in held["model"].items()}
    expected = roberta_shapes(args, rows)
    if kind != "lm":
        classes = {"two": 2, "three": 3}.get(kind, 1)
        stem = "classification_heads.sentence_classification_head"
        expected |= {
            f"{stem}.dense.weight": (32, 32),
            f"{stem}.dense.bias": (32,),
            f"{stem}.out_proj.weight": (classes, 32),
            f"{stem}.out_proj.bias": (classes,),
        }
    assert shapes == expected
    embedded, tied = (
        held["model"][f"encoder.{name}.weight"]
        for name in ("sentence_encoder.embed_tokens", "lm_head")
    )
    assert embedded.data_ptr() == tied.data_ptr()


def roberta_shapes(args, rows):
    """The state of RobertaModel before any head is registered."""
    D, F = args.encoder_embed_dim, args.encoder_ffn_embed_dim
    stem = "encoder.sentence_encoder"
    linear = {"self_attn.out_proj": (D, D), "fc1": (F, D), "fc2": (D, F)}
    linear |= {f"self_attn.{part}_proj": (D, D) for part in "qkv"}
    norms = ("self_attn_layer_norm", "final_layer_norm")
    shapes = {
        f"{stem}.embed_tokens.weight": (rows, D),
        f"{stem}.embed_positions.weight": (args.max_positions + 2, D),
        f"{stem}.layernorm_embedding.weight": (D,),
        f"{stem}.layernorm_embedding.bias": (D,),
        "encoder.lm_head.weight": (rows, D),
        "encoder.lm_head.bias": (rows,),
        "encoder.lm_head.dense.weight": (D, D),
        "encoder.lm_head.dense.bias": (D,),
        "encoder.lm_head.layer_norm.weight": (D,),
        "encoder.lm_head.layer_norm.bias": (D,),
    }
    for layer in range(args.encoder_layers):
        at = f"{stem}.layers.{layer}"
        shapes |= {f"{at}.{name}.weight": shape for name, shape in linear.items()}
        shapes |= {f"{at}.{name}.bias": shape[:1] for name, shape in linear.items()}
        shapes |= {f"{at}.{name}.{part}": (D,) for name in norms for part in ("weight", "bias")}
    return shapes
