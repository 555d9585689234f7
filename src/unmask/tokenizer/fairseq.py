"""fairseq's way of numbering GPT-2's tokens."""

from collections.abc import Mapping, Sequence

from unmask.core.errors import UserError
from unmask.tokenizer.family import ROBERTA

FILLER = "madeupword"
"""fairseq pads its dictionaries to a round size with madeupword0000, madeupword0001..."""


def renumber(encoder: Mapping[str, int], dictionary: Sequence[str]) -> dict[str, int]:
    """Number the tokens of `encoder.json` by their place in `dict.txt`.

    A line of `dict.txt` is a GPT-2 id and its count. `<s> <pad> </s> <unk>` come before the
    first line; `<mask>` where a line names it, or else after the last (fairseq/data/dictionary.py,
    tasks/masked_lm.py). UserError unless the dictionary holds each token of the encoder, and
    `<mask>`, exactly once.
    """
    *first, mask = ROBERTA.specials
    tokens = {str(id_): token for token, id_ in encoder.items()} | {mask: mask}
    names = [line.partition(" ")[0] for line in dictionary]
    names += [] if mask in names else [mask]
    unknown = [name for name in names if name not in tokens and not name.startswith(FILLER)]
    if unknown:
        raise _misfit(f"{unknown[0]!r} is no id of it ({len(unknown)} such)")
    absent = tokens.keys() - set(names)
    if absent:
        raise _misfit(f"its id {min(absent, key=int)} is left out ({len(absent)} such)")
    if len(set(names)) < len(names):
        raise _misfit(f"{len(names) - len(set(names))} of the lines come up again")
    ordered = [*first, *(tokens.get(name, name) for name in names)]
    return {token: id_ for id_, token in enumerate(ordered)}


def _misfit(why: str) -> UserError:
    return UserError(
        f"dict.txt does not fit encoder.json: {why}", "take all three files from one model"
    )
