"""The learning rate as a pure function of the step."""


def warmup_linear(step: int, *, warmup: int, total: int) -> float:
    """The factor on the peak learning rate for update `step`, counted from 0.

    Update n of the warm-up has (n + 1) / warmup; then a line falls to 0 at `total`
    (fairseq: polynomial_decay with power 1).
    """
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / max(1, total - warmup))
