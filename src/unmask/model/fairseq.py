"""What fairseq calls the tensors of a RoBERTa (models/roberta/model.py), and what it has fixed."""

from unmask.model.tensors import Modules

STEM = "encoder.sentence_encoder"
LAYER = f"{STEM}.layers.#"
WORD = f"{STEM}.embed_tokens.weight"
POSITION = f"{STEM}.embed_positions.weight"
TYPE = f"{STEM}.segment_embeddings.weight"
UP = f"{STEM}.layers.0.fc1.weight"
LM_HEAD = "encoder.lm_head"

ENCODER: Modules = {
    "encoder.embedding.word": (f"{STEM}.embed_tokens",),
    "encoder.embedding.position": (f"{STEM}.embed_positions",),
    "encoder.embedding.token_type": (f"{STEM}.segment_embeddings",),
    "encoder.embedding.norm": (f"{STEM}.layernorm_embedding",),
    "encoder.blocks.#.attention.qkv": (
        f"{LAYER}.self_attn.q_proj",
        f"{LAYER}.self_attn.k_proj",
        f"{LAYER}.self_attn.v_proj",
    ),
    "encoder.blocks.#.attention.out": (f"{LAYER}.self_attn.out_proj",),
    "encoder.blocks.#.attention_norm": (f"{LAYER}.self_attn_layer_norm",),
    "encoder.blocks.#.up": (f"{LAYER}.fc1",),
    "encoder.blocks.#.down": (f"{LAYER}.fc2",),
    "encoder.blocks.#.feed_forward_norm": (f"{LAYER}.final_layer_norm",),
}
MODULES: Modules = {
    **ENCODER,
    "": (LM_HEAD,),
    "dense": (f"{LM_HEAD}.dense",),
    "norm": (f"{LM_HEAD}.layer_norm",),
}
"""Of a masked language model."""
RENAMED = {"decoder.": "encoder.", f"{STEM}.emb_layer_norm.": f"{STEM}.layernorm_embedding."}
"""Beginnings of names before fairseq 0.10 (upgrade_state_dict_named)."""
TIED = {f"{LM_HEAD}.weight": WORD}

PAD, BOS, EOS = 1, 0, 2


def modules(head: str) -> Modules:
    """Name the modules of an encoder with the classification head of this name."""
    stem = f"classification_heads.{head}"
    return {**ENCODER, "dense": (f"{stem}.dense",), "out": (f"{stem}.out_proj",)}
