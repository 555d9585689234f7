"""Settings of what is masked: `unmask pretrain --masking.*`."""

import dataclasses
from typing import Literal

from unmask.core.errors import UserError

COPIES = 10
"""The paper duplicated its data ten times (RoBERTa, section 4.1)."""
SPAN_STOP, SPAN_LONGEST = 0.2, 10
"""The geometric spans of SpanBERT (Joshi et al. 2020, section 3.1)."""

Spans = Literal["fixed", "geometric", "normal"]
SPAN_SETTINGS: dict[str, tuple[Spans, ...]] = {
    "span_length": ("fixed", "normal"),
    "span_spread": ("normal",),
    "span_stop": ("geometric",),
    "span_longest": ("geometric",),
}
"""The distributions for which a setting means something."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MaskingConfig:
    """What is masked, and by what (BERT's 80/10/10; RoBERTa, section 2.3)."""

    probability: float = 0.15
    """Share of the tokens of each block that are predicted."""
    masked: float = 0.8
    """Share of these that become <mask>."""
    random: float = 0.1
    """Share of these that become a random token; the rest stay as they are."""
    schedule: Literal["dynamic", "static", "copies"] = "dynamic"
    """dynamic: new masks each epoch; static: the same in every epoch; copies: a few sets of masks
    in turn, as in the paper's static baseline."""
    copies: int | None = None
    """Sets of masks of --masking.schedule copies; by default 10, as in the paper."""
    count: Literal["exact", "bernoulli"] = "exact"
    """exact: each block has its rounded share, at least one; bernoulli: every unit has the same
    chance, whatever happens to the others."""
    unit: Literal["token", "word", "chinese-word"] = "token"
    """What is masked as a whole: a token, a word, or also the Chinese words that jieba finds
    (needs the extra unmask[zh])."""
    spans: Spans | None = None
    """Distribution of the lengths of spans of neighbouring units that are masked together; by
    default each unit is on its own."""
    span_length: int | None = None
    """Units of a span: of each one if fixed, on average if normal."""
    span_spread: float | None = None
    """Standard deviation of normal lengths, which are rounded."""
    span_stop: float | None = None
    """Chance that a geometric span ends after each unit; by default 0.2."""
    span_longest: int | None = None
    """Most units of a geometric span; by default 10."""
    replacement: Literal["uniform", "frequency"] = "uniform"
    """How random tokens are drawn: all alike, or as often as they stand in the training split."""
    rule: Literal["unmask", "fairseq"] = "unmask"
    """unmask: special tokens are never masked and never drawn; fairseq: as fairseq chooses, which
    may mask <s> and </s> and draw all but the first four ids."""

    def __post_init__(self) -> None:
        _refuse_shares(self)
        _refuse_copies(self)
        _refuse_spans(self)
        if self.replacement == "frequency" and self.random == 0:
            raise UserError(
                "--masking.replacement frequency: has no effect, as --masking.random is 0",
                "leave out one of the two",
            )
        if self.rule == "fairseq":
            _refuse_what_fairseq_lacks(self)


def _refuse_shares(config: MaskingConfig) -> None:
    if not 0 < config.probability < 1:
        raise UserError(
            f"--masking.probability {config.probability}: must be between 0 and 1", "try 0.15"
        )
    if min(config.masked, config.random) < 0 or config.masked + config.random > 1:
        raise UserError(
            f"--masking.masked {config.masked} and --masking.random {config.random}: "
            "must not be negative nor sum to more than 1",
            "try 0.8 and 0.1",
        )


def _refuse_copies(config: MaskingConfig) -> None:
    if config.copies is None:
        return
    if config.schedule != "copies":
        raise UserError(
            f"--masking.copies {config.copies}: has no effect with --masking.schedule "
            f"{config.schedule}",
            "add --masking.schedule copies",
        )
    if config.copies < 1:
        raise UserError(f"--masking.copies {config.copies}: too small", "give 1 or more")


def _refuse_spans(config: MaskingConfig) -> None:
    given = {name: getattr(config, name) for name in SPAN_SETTINGS}
    for name, value in given.items():
        if value is not None and config.spans not in SPAN_SETTINGS[name]:
            raise UserError(
                f"{_flag(name)} {value}: has no effect with --masking.spans {config.spans}",
                f"add --masking.spans {' or '.join(SPAN_SETTINGS[name])}",
            )
    needed = {"fixed": ("span_length",), "normal": ("span_length", "span_spread")}
    for name in needed.get(config.spans or "", ()):
        if given[name] is None:
            raise UserError(
                f"--masking.spans {config.spans}: {_flag(name)} is missing",
                f"add {_flag(name)} 3" if name == "span_length" else f"add {_flag(name)} 1.5",
            )
    smallest = 2 if config.spans == "fixed" else 1
    for name in ("span_length", "span_longest"):
        if given[name] is not None and given[name] < smallest:
            raise UserError(f"{_flag(name)} {given[name]}: too small", f"give {smallest} or more")
    if given["span_spread"] is not None and given["span_spread"] <= 0:
        raise UserError(
            f"--masking.span-spread {given['span_spread']}: must be above 0",
            "for spans of one length use --masking.spans fixed",
        )
    if given["span_stop"] is not None and not 0 < given["span_stop"] < 1:
        raise UserError(
            f"--masking.span-stop {given['span_stop']}: must be between 0 and 1", "try 0.2"
        )


def _refuse_what_fairseq_lacks(config: MaskingConfig) -> None:
    lacking = {
        "count": config.count == "bernoulli",
        "unit": config.unit == "chinese-word",
        "spans": config.spans == "geometric",
    }
    for name, is_lacking in lacking.items():
        if is_lacking:
            raise UserError(
                f"{_flag(name)} {getattr(config, name)}: fairseq's rule has no such choice",
                f"leave it out, or leave out {_flag('rule')} fairseq",
            )


def _flag(name: str) -> str:
    return f"--masking.{name.replace('_', '-')}"
