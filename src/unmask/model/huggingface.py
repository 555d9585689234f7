"""What transformers calls things: tensors, classes and the fields of `config.json`."""

from collections.abc import Mapping
from typing import Any, get_args

from unmask.core.errors import UserError
from unmask.model import tensors
from unmask.model.config import Family, ModelConfig
from unmask.model.heads import (
    MaskedLM,
    Model,
    MultipleChoice,
    Pretraining,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
)
from unmask.model.problem import Problem
from unmask.model.tensors import Modules, Names

PRETRAINING = "BertForPreTraining"
CLASSES: dict[str, tuple[Family, type[Model]]] = {
    "RobertaForMaskedLM": ("roberta", MaskedLM),
    "RobertaForSequenceClassification": ("roberta", SequenceClassifier),
    "RobertaForTokenClassification": ("roberta", TokenClassifier),
    "RobertaForQuestionAnswering": ("roberta", SpanExtractor),
    "RobertaForMultipleChoice": ("roberta", MultipleChoice),
    "BertForMaskedLM": ("bert", MaskedLM),
    PRETRAINING: ("bert", MaskedLM),  # a folder of it answers as a masked language model does
    "BertForSequenceClassification": ("bert", SequenceClassifier),
    "BertForTokenClassification": ("bert", TokenClassifier),
    "BertForQuestionAnswering": ("bert", SpanExtractor),
    "BertForMultipleChoice": ("bert", MultipleChoice),
}

SIZES = {
    "vocabulary": "vocab_size",
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "feed_forward": "intermediate_size",
}
DEFAULTED = {
    "types": ("type_vocab_size", 2),
    "norm_eps": ("layer_norm_eps", 1e-12),
    "dropout": ("hidden_dropout_prob", 0.1),
    "attention_dropout": ("attention_probs_dropout_prob", 0.1),
    "classifier_dropout": ("classifier_dropout", None),
    "init_std": ("initializer_range", 0.02),
}
"""Fields that a config.json may leave out, and what transformers then takes."""
SPECIAL_IDS: dict[Family, dict[str, tuple[str, int | None]]] = {
    "roberta": {
        "pad_id": ("pad_token_id", 1),
        "bos_id": ("bos_token_id", 0),
        "eos_id": ("eos_token_id", 2),
    },
    "bert": {
        "pad_id": ("pad_token_id", 0),
        "bos_id": ("bos_token_id", None),
        "eos_id": ("eos_token_id", None),
    },
}
FIXED = {
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}
"""What no field of ModelConfig can change; a config.json that differs is refused."""

HEADS: dict[tuple[type[Model], Family], Modules] = {
    (MaskedLM, "roberta"): {
        "": ("lm_head",),
        "dense": ("lm_head.dense",),
        "norm": ("lm_head.layer_norm",),
    },
    (MaskedLM, "bert"): {
        "": ("cls.predictions",),
        "dense": ("cls.predictions.transform.dense",),
        "norm": ("cls.predictions.transform.LayerNorm",),
    },
    (SequenceClassifier, "roberta"): {
        "dense": ("classifier.dense",),
        "out": ("classifier.out_proj",),
    },
    (SequenceClassifier, "bert"): {"dense": ("bert.pooler.dense",), "out": ("classifier",)},
    (TokenClassifier, "roberta"): {"out": ("classifier",)},
    (TokenClassifier, "bert"): {"out": ("classifier",)},
    (SpanExtractor, "roberta"): {"out": ("qa_outputs",)},
    (SpanExtractor, "bert"): {"out": ("qa_outputs",)},
    (MultipleChoice, "roberta"): {"dense": ("roberta.pooler.dense",), "out": ("classifier",)},
    (MultipleChoice, "bert"): {"dense": ("bert.pooler.dense",), "out": ("classifier",)},
}
NEXT_SENTENCE: Modules = {"dense": ("bert.pooler.dense",), "out": ("cls.seq_relationship",)}
"""BERT's alone: transformers has no RoBERTa with this head."""


def names(model: Model) -> Names:
    """Name every tensor of a model as transformers does.

    A Pretraining model of the RoBERTa family has no such names: it is written as its `lm`.
    """
    family = model.config.family
    if isinstance(model, Pretraining):
        assert family == "bert"
        lm = {f"lm.{ours}": theirs for ours, theirs in names(model.lm).items()}
        return lm | {f"next_sentence.{k}": v for k, v in next_sentence_names(model).items()}
    layer = f"{family}.encoder.layer.#"
    encoder = {
        "encoder.embedding.word": (f"{family}.embeddings.word_embeddings",),
        "encoder.embedding.position": (f"{family}.embeddings.position_embeddings",),
        "encoder.embedding.token_type": (f"{family}.embeddings.token_type_embeddings",),
        "encoder.embedding.norm": (f"{family}.embeddings.LayerNorm",),
        "encoder.blocks.#.attention.qkv": (
            f"{layer}.attention.self.query",
            f"{layer}.attention.self.key",
            f"{layer}.attention.self.value",
        ),
        "encoder.blocks.#.attention.out": (f"{layer}.attention.output.dense",),
        "encoder.blocks.#.attention_norm": (f"{layer}.attention.output.LayerNorm",),
        "encoder.blocks.#.up": (f"{layer}.intermediate.dense",),
        "encoder.blocks.#.down": (f"{layer}.output.dense",),
        "encoder.blocks.#.feed_forward_norm": (f"{layer}.output.LayerNorm",),
    }
    return tensors.names(model, {**encoder, **HEADS[type(model), family]})


def next_sentence_names(model: Pretraining) -> Names:
    """Name the tensors of the next-sentence head alone."""
    return tensors.names(model.next_sentence, NEXT_SENTENCE)


def to_table(model: Model) -> dict[str, Any]:
    """Describe a model as transformers' `config.json` does, keys in alphabetical order."""
    config = model.config
    spelled = {ours: theirs for ours, (theirs, _) in (DEFAULTED | SPECIAL_IDS["bert"]).items()}
    table = {theirs: getattr(config, ours) for ours, theirs in (SIZES | spelled).items()} | FIXED
    table["architectures"] = [architecture(model)]
    table["model_type"] = config.family
    table["max_position_embeddings"] = config.position_rows
    table["dtype"] = str(next(model.parameters()).dtype).removeprefix("torch.")
    if isinstance(model, SequenceClassifier | TokenClassifier):
        table["id2label"] = {str(index): label for index, label in enumerate(model.labels)}
        table["label2id"] = {label: index for index, label in enumerate(model.labels)}
    if isinstance(model, SequenceClassifier) and model.problem != "single_label_classification":
        table["problem_type"] = model.problem
    return dict(sorted(table.items()))


def architecture(model: Model) -> str:
    """Name the class of transformers that a model is."""
    if isinstance(model, Pretraining):
        return PRETRAINING
    wanted = (model.config.family, type(model))
    return next(name for name, row in CLASSES.items() if row == wanted)


def to_config(table: Mapping[str, Any], where: str) -> ModelConfig:
    """Read the sizes out of a `config.json`; UserError for what this encoder is not."""
    family = table.get("model_type")
    if family not in ("roberta", "bert"):
        raise UserError(f"{where}: model_type is {family!r}", "only roberta and bert can be loaded")
    for name, value in FIXED.items():
        if table.get(name, value) != value:
            raise UserError(
                f"{where}: {name} is {table[name]!r}, only {value!r} can be loaded",
                "use a model with this setting",
            )
    whole = [*SIZES.values(), "max_position_embeddings"]
    wrong = [f"{name} is {table.get(name)!r}" for name in whole if type(table.get(name)) is not int]
    if wrong:
        raise UserError(f"{where}: {', '.join(wrong)}", "these have to be whole numbers")
    sizes = {ours: table[theirs] for ours, theirs in SIZES.items()}
    optional = DEFAULTED | SPECIAL_IDS[family]
    rest = {ours: table.get(theirs, default) for ours, (theirs, default) in optional.items()}
    try:
        skipped = rest["pad_id"] + 1 if family == "roberta" else 0
        max_length = table["max_position_embeddings"] - skipped
        return ModelConfig(family=family, **sizes, **rest, max_length=max_length)
    except TypeError as error:
        raise UserError(f"{where}: a value is no number: {error}", "write the file again") from None


def head(table: Mapping[str, Any], where: str) -> type[Model]:
    """Find our class for the one that `architectures` names; UserError lists the known ones."""
    known = {name: kind for name, (_, kind) in CLASSES.items()}
    named = table.get("architectures") or []
    if len(named) != 1 or named[0] not in known:
        raise UserError(
            f"{where}: architectures names {', '.join(named) or 'nothing'}",
            f"known are {', '.join(known)}",
        )
    return known[named[0]]


def problem(table: Mapping[str, Any], where: str) -> Problem | None:
    """Read what a sequence classifier tells; None where the file does not say."""
    named = table.get("problem_type")
    if named is None:
        return None
    if named not in get_args(Problem):
        raise UserError(
            f"{where}: problem_type is {named!r}", f"known are {', '.join(get_args(Problem))}"
        )
    found: Problem = named
    return found


def labels(table: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Read a classifier's label names in order; transformers leaves out LABEL_0 and LABEL_1."""
    found = table.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}
    by_index = {int(index): str(label) for index, label in found.items()}
    if sorted(by_index) != list(range(len(by_index))):
        raise UserError(f"{where}: id2label counts {sorted(by_index)}", "number labels from 0 on")
    return tuple(by_index[index] for index in range(len(by_index)))
