"""`unmask convert` against transformers for the same weights, and its files against GPT-2's.

The state dicts are built here, from fairseq's names; what its loader asks for is written down here
from its description (checkpoint_utils.py, models/roberta/model.py).
"""

import argparse
import json
import re

import pytest
import torch

from unmask.convert import vocabulary
from unmask.convert.config import ConvertConfig
from unmask.convert.run import run
from unmask.tokenizer import imports
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.byte_letters import LETTERS

transformers = pytest.importorskip("transformers")

LAYER = r"roberta\.encoder\.layer\.(\d+)\."
# Ordered, first match wins; written apart from the mapping under test.
TO_FAIRSEQ = [
    (r"roberta\.embeddings\.word_embeddings", "encoder.sentence_encoder.embed_tokens"),
    (r"roberta\.embeddings\.position_embeddings", "encoder.sentence_encoder.embed_positions"),
    (r"roberta\.embeddings\.LayerNorm", "encoder.sentence_encoder.layernorm_embedding"),
    (LAYER + r"attention\.self\.query", r"encoder.sentence_encoder.layers.\1.self_attn.q_proj"),
    (LAYER + r"attention\.self\.key", r"encoder.sentence_encoder.layers.\1.self_attn.k_proj"),
    (LAYER + r"attention\.self\.value", r"encoder.sentence_encoder.layers.\1.self_attn.v_proj"),
    (
        LAYER + r"attention\.output\.dense",
        r"encoder.sentence_encoder.layers.\1.self_attn.out_proj",
    ),
    (
        LAYER + r"attention\.output\.LayerNorm",
        r"encoder.sentence_encoder.layers.\1.self_attn_layer_norm",
    ),
    (LAYER + r"intermediate\.dense", r"encoder.sentence_encoder.layers.\1.fc1"),
    (LAYER + r"output\.dense", r"encoder.sentence_encoder.layers.\1.fc2"),
    (LAYER + r"output\.LayerNorm", r"encoder.sentence_encoder.layers.\1.final_layer_norm"),
    (r"lm_head\.decoder\.weight", "encoder.lm_head.weight"),
    (r"lm_head", "encoder.lm_head"),
    (r"classifier\.(dense|out_proj)", r"classification_heads.HEAD.\1"),
    (r"roberta\.pooler\.dense", "classification_heads.HEAD.dense"),
    (r"classifier", "classification_heads.HEAD.out_proj"),
]
MERGES = [("t", "h"), ("th", "e"), ("Ġ", "a")]
KINDS = {
    "lm": (transformers.RobertaForMaskedLM, {}),
    "regression": (transformers.RobertaForSequenceClassification, {"num_labels": 1}),
    "two": (transformers.RobertaForSequenceClassification, {"num_labels": 2}),
    "three": (transformers.RobertaForSequenceClassification, {"num_labels": 3}),
    "choice": (transformers.RobertaForMultipleChoice, {}),
}


def tokens():
    words = [left + right for left, right in MERGES]
    return ["<s>", "<pad>", "</s>", "<unk>", *reversed(LETTERS), *words, "<mask>"]


def config(**more):
    return transformers.RobertaConfig(
        vocab_size=len(tokens()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=18,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        **more,
    )


def theirs(kind, *, typed=False):
    """A model of transformers; fairseq knows no token types, so their row is zero unless asked."""
    make, more = KINDS[kind]
    model = make(config(**more)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    if not typed:
        torch.nn.init.zeros_(model.roberta.embeddings.token_type_embeddings.weight)
    return model


def sequences(dice):
    """Sequences of several lengths, padded on the right, as fairseq has them."""
    lengths = torch.randint(2, 16, (5,), generator=dice).tolist()
    rows = [torch.randint(4, len(tokens()), (length,), generator=dice) for length in lengths]
    for row in rows:
        row[0], row[-1] = 0, 2
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=1)


def logits(model, ids, kind):
    """Logits at what is no padding; sequences of a batch are the choices of one question."""
    real = ids != 1
    if kind == "choice":
        return model(input_ids=ids[None], attention_mask=real[None]).logits
    found = model(ids, real).logits
    return found[real] if kind == "lm" else found


def fairseq_state(model, head="mnli"):
    state = {}
    for name, tensor in model.state_dict().items():
        if "token_type" in name or name == "lm_head.decoder.bias":
            continue
        pattern, target = next(row for row in TO_FAIRSEQ if re.match(row[0], name))
        state[re.sub(pattern, target, name).replace("HEAD", head)] = tensor
    return state


def as_old(state):
    """Names and stacked projections of fairseq 0.8, where the encoder was called decoder."""
    old = {}
    for name, tensor in state.items():
        if (match := re.fullmatch(r"(.*self_attn\.)([qkv])_proj\.(weight|bias)", name)) is None:
            old[name.replace(".layernorm_embedding.", ".emb_layer_norm.")] = tensor
        elif match[2] == "q":
            rows = [state[f"{match[1]}{part}_proj.{match[3]}"] for part in "qkv"]
            old[f"{match[1]}in_proj_{match[3]}"] = torch.cat(rows)
    return {re.sub(r"^encoder\.", "decoder.", name): tensor for name, tensor in old.items()}


def as_012(state):
    """fairseq 0.12 stores a version and, at zero, a second set of weights for its fast path."""
    more = {"encoder.sentence_encoder.version": torch.tensor([3.0])}
    for layer in range(2):
        stem = f"encoder.sentence_encoder.layers.{layer}"
        more |= {
            f"{stem}.in_proj_weight": torch.zeros(96, 32),
            f"{stem}.in_proj_bias": torch.zeros(96),
        }
        for name in ("fc1", "fc2", "self_attn.out_proj"):
            for part in ("weight", "bias"):
                shape = state[f"{stem}.{name}.{part}"].shape
                more[f"{stem}.{name.rpartition('.')[2]}_{part}"] = torch.zeros(shape)
    return state | more


VERSIONS = {"0.8": as_old, "0.10": lambda state: state, "0.12": as_012}


def write(folder, state, **settings):
    """A folder as fairseq's hub has it."""
    folder.mkdir()
    encoder = {token: id_ for id_, token in enumerate([*sorted(LETTERS), "th", "the", "Ġa"])}
    (folder / "encoder.json").write_text(json.dumps(encoder))
    (folder / "vocab.bpe").write_text("#version: 0.2\nt h\nth e\nĠ a\n")
    lines = [f"{encoder[token]} 1\n" for token in tokens()[4:-1]]
    (folder / "dict.txt").write_text("".join(lines))
    args = argparse.Namespace(arch="roberta_base", encoder_attention_heads=4, **settings)
    torch.save({"args": args, "model": state}, folder / "model.pt")
    return folder


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_becomes_a_folder_that_transformers_reads(kind, version, tmp_path):
    model = theirs(kind)
    settings = {"criterion": "sentence_ranking"} if kind == "choice" else {}
    source = write(tmp_path / "fairseq", VERSIONS[version](fairseq_state(model)), **settings)

    run(ConvertConfig(model=source, out=tmp_path / "out"))

    found = type(model).from_pretrained(tmp_path / "out").eval()
    dice = torch.Generator().manual_seed(1)
    for _ in range(4):
        ids = sequences(dice)
        expected = logits(model, ids, kind)
        torch.testing.assert_close(logits(found, ids, kind), expected, rtol=0, atol=1e-6)
    assert found.config.num_labels == {"three": 3, "regression": 1}.get(kind, 2)
    if kind == "three":
        assert found.config.id2label == {0: "contradiction", 1: "neutral", 2: "entailment"}


def test_each_head_of_a_file_with_several(tmp_path):
    two, three = theirs("two"), theirs("three")
    three.roberta.load_state_dict(two.roberta.state_dict())
    both = fairseq_state(two, "rte") | fairseq_state(three, "mnli")
    source = write(tmp_path / "fairseq", both)
    ids = sequences(torch.Generator().manual_seed(2))

    for head, model in (("rte", two), ("mnli", three)):
        run(ConvertConfig(model=source, out=tmp_path / head, head=head))
        found = type(model).from_pretrained(tmp_path / head).eval()
        torch.testing.assert_close(found(ids, ids != 1).logits, model(ids, ids != 1).logits)


def test_half_precision_becomes_float32(tmp_path):
    model = theirs("lm").half()
    source = write(tmp_path / "fairseq", fairseq_state(model))

    run(ConvertConfig(model=source, out=tmp_path / "out"))

    found = transformers.RobertaForMaskedLM.from_pretrained(tmp_path / "out")
    for (name, expected), (_, tensor) in zip(
        model.named_parameters(), found.named_parameters(), strict=True
    ):
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, expected.float()), name


@pytest.mark.parametrize("typed", [False, True], ids=["untyped", "typed"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_transformers_becomes_a_checkpoint_with_its_logits(kind, typed, tmp_path):
    model = theirs(kind, typed=typed)
    model.save_pretrained(tmp_path / "folder")
    byte_level_bpe({token: id_ for id_, token in enumerate(tokens())}, MERGES).save(
        tmp_path / "folder"
    )

    run(ConvertConfig(model=tmp_path / "folder", out=tmp_path / "out", head=None))

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
    theirs(kind).save_pretrained(tmp_path / "folder")
    byte_level_bpe({token: id_ for id_, token in enumerate(tokens())}, MERGES).save(
        tmp_path / "folder"
    )
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


def test_roberta_is_spelled_as_gpt2_and_fairseq_published_it(shared_data, tmp_path):
    roberta = imports.read(imports.find(shared_data / "bpe" / "roberta"))
    published = shared_data / "bpe" / "gpt2_bpe"

    vocabulary.Spelling.of(roberta, 50265, tmp_path).save(tmp_path)

    ours, gpt2 = (
        json.loads((folder / "encoder.json").read_text()) for folder in (tmp_path, published)
    )
    assert ours == gpt2
    names, theirs = (
        [line.split(" ")[0] for line in (folder / "dict.txt").read_text().splitlines()]
        for folder in (tmp_path, published)
    )
    assert names == theirs
    merges, theirs = ((folder / "vocab.bpe").read_text() for folder in (tmp_path, published))
    assert merges.rstrip("\n") == theirs.rstrip("\n")


def test_the_published_files_of_fairseq_give_the_ids_of_roberta(shared_data):
    roberta = imports.read(imports.find(shared_data / "bpe" / "roberta"))
    published = shared_data / "bpe" / "gpt2_bpe"

    found = vocabulary.read(vocabulary.find(published, None))
    checked = vocabulary.read(vocabulary.find(published, shared_data / "bpe" / "roberta"))

    texts = ["Hello world!", " world", "world", 'I said, "hello RoBERTa."', "<mask> is 新闻"]
    for text, expected in zip(texts, roberta.encode(texts), strict=True):
        assert found.encode([text])[0].ids == expected.ids
    assert found.encode(["Hello world!"])[0].ids == [0, 31414, 232, 328, 2]
    assert (found.mask_id, found.vocabulary) == (50264, 50265)
    assert checked.json == roberta.json
