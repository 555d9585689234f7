"""What training costs, as if nothing were computed in vain."""

from unmask.model.config import ModelConfig


def training_flops(config: ModelConfig, *, length: int, masked_share: float) -> float:
    """Floating-point operations to train on one token; a multiply and an add are two.

    `length` is what a token attends to: that of its block. `masked_share` of the positions pass
    through the head. The forward pass of a layer takes 2 (4 D² + 2 D F) for its matrices and
    4 L D for attention, that of the head 2 (D² + D V); the backward pass takes twice as much
    (Kaplan et al. 2020, section 2.1; with attention as in PaLM, appendix B). Lookups, LayerNorm,
    GELU and softmax, together below 1.5 %, are left out, and so is what is computed again.
    """
    D, F, V = config.width, config.feed_forward, config.vocabulary
    layer = 2 * (4 * D * D + 2 * D * F) + 4 * length * D
    head = 2 * (D * D + D * V)
    return 3.0 * (config.layers * layer + masked_share * head)
