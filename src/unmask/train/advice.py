"""What costs speed, in plain words, and what to do about it.

Rules over facts, without a look at the machine: `unmask doctor` and the run gather the facts.
"""

import dataclasses
from collections.abc import Iterable
from typing import Literal

PADDING = 0.4
"""Padding is computed in attention alone, so a little of it costs next to nothing."""
DATA_WAIT = 0.10
FASTER_IN_BF16 = 1.2
CARD_TOKENS = 8_192
"""Fewer tokens at once leave a card waiting for its launches."""
PROCESSOR_TOKENS = 512
CARD_MASKED, PROCESSOR_MASKED = 512, 64
"""Fewer masked positions make the head, a product with the whole vocabulary, a thin one."""
FREE_MEMORY, FREE_DISK = 4 << 30, 20 << 30
FREE_SHARE = 0.5
"""A card with so much of its memory free need not compute activations again."""
TORCH = (2, 11)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class MachineFacts:
    """What the machine has; None where it is not known."""

    device: Literal["cpu", "cuda"]
    bf16: bool
    """Whether the device multiplies bf16 matrices in hardware."""
    bf16_gain: float | None = None
    """How many times faster bf16 products were measured to be than fp32 ones."""
    cores: int | None = None
    """Cores this process may use."""
    quota: float | None = None
    """Cores' worth of time that the container is allowed."""
    threads: int | None = None
    """Of a process."""
    processes: int = 1
    """Of the run, on this machine."""
    omp_threads: str | None = None
    """OMP_NUM_THREADS, where it is set."""
    memory_free: int | None = None
    """Bytes."""
    disk_free: int | None = None
    """Bytes, where the run is written."""
    compiler: bool | None = None
    """Whether there is a C++ compiler, which torch.compile needs."""
    torch: str | None = None
    card_unseen: bool = False
    """A card is in the machine, and torch cannot use it."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """What a run does; None where it is not known (yet)."""

    precision: Literal["fp32", "bf16", "fp16"] | None = None
    micro_batch_tokens: int | None = None
    """Tokens that a process computes at once, padding included."""
    micro_batch_masked: int | None = None
    """Masked positions among them."""
    padding_share: float | None = None
    data_share: float | None = None
    """Share of a step's time in which the batch was waited for."""
    compile_failed: str | None = None
    """Why torch.compile gave up, where it did."""
    recompute: bool = False
    memory_free_share: float | None = None
    """Of the card's memory, at the peak of a step."""


def advice(machine: MachineFacts, run: RunFacts | None = None) -> list[str]:
    """Say what is slow and what to do, one sentence each, the costliest first."""
    found = [*_machine_rules(machine), *([] if run is None else _run_rules(machine, run))]
    return [sentence for sentence in found if sentence]


def _machine_rules(facts: MachineFacts) -> Iterable[str | None]:
    return (
        _unseen_card(facts),
        _threads(facts),
        _quota(facts),
        _no_bf16(facts),
        _slow_bf16(facts),
        _memory(facts),
        _disk(facts),
        _compiler(facts),
        _torch(facts),
    )


def _run_rules(machine: MachineFacts, run: RunFacts) -> Iterable[str | None]:
    return (
        _precision(machine, run),
        _data(run),
        _padding(run),
        _compile(run),
        _micro_batch(machine, run),
        _masked(machine, run),
        _recompute(run),
    )


def _unseen_card(facts: MachineFacts) -> str | None:
    if not facts.card_unseen:
        return None
    return (
        "There is an NVIDIA card that torch cannot use, so the processor computes: install a torch "
        "built for CUDA that fits the card's driver."
    )


def _threads(facts: MachineFacts) -> str | None:
    if facts.device == "cuda" or not facts.threads or not facts.cores:
        return None
    threads = facts.threads * facts.processes
    if threads >= min(facts.cores, facts.quota or facts.cores) * 0.75:
        return None
    what = f"torch computes with {threads} of {facts.cores} cores"
    best = max(1, facts.cores // facts.processes)
    if facts.omp_threads:
        # torchrun sets it itself, so that to unset it would change nothing there.
        unset = "unset it, or set it to" if facts.processes == 1 else "set it to"
        return f"{what}, because OMP_NUM_THREADS={facts.omp_threads}: {unset} {best}."
    return f"{what}: set OMP_NUM_THREADS={best}."


def _quota(facts: MachineFacts) -> str | None:
    threads = (facts.threads or 0) * facts.processes
    if not facts.quota or threads <= facts.quota + 0.5:
        return None
    return (
        f"torch uses {threads} threads, but the container is allowed the time of "
        f"{facts.quota:g} cores, so they wait for one another: set "
        f"OMP_NUM_THREADS={max(1, int(facts.quota) // facts.processes)}."
    )


def _no_bf16(facts: MachineFacts) -> str | None:
    if facts.bf16:
        return None
    if facts.device == "cuda":
        return (
            "This card has no bf16 instructions, so training computes in fp16 with a scaled loss; "
            "a card from Ampere (2020) on would need no scaling."
        )
    return (
        "This processor has no bf16 instructions, so it computes in fp32: one that has them "
        "(AVX-512 BF16, AMX, or Arm's bf16) multiplies faster, and a card much faster."
    )


def _slow_bf16(facts: MachineFacts) -> str | None:
    if not facts.bf16 or facts.bf16_gain is None or facts.bf16_gain >= FASTER_IN_BF16:
        return None
    return (
        f"The {'card' if facts.device == 'cuda' else 'processor'} has bf16 instructions, but this "
        f"torch multiplies only {facts.bf16_gain:.1f} times as fast with them as in fp32: install "
        "a newer torch, or use --precision fp32."
    )


def _memory(facts: MachineFacts) -> str | None:
    if facts.memory_free is None or facts.memory_free >= FREE_MEMORY:
        return None
    return (
        f"Only {facts.memory_free / 2**30:.1f} GiB of memory are free: end other programs, or "
        "lower --micro-batch."
    )


def _disk(facts: MachineFacts) -> str | None:
    if facts.disk_free is None or facts.disk_free >= FREE_DISK:
        return None
    return (
        f"Only {facts.disk_free / 2**30:.1f} GiB of disk are free, and a checkpoint of a base "
        "model takes 1.5 GB: free some space, or write to another disk with --out."
    )


def _compiler(facts: MachineFacts) -> str | None:
    if facts.compiler is not False:
        return None
    return (
        "There is no C++ compiler, so torch.compile cannot make the step faster: install g++ "
        "(apt-get install g++), or set CXX to one."
    )


def _torch(facts: MachineFacts) -> str | None:
    if facts.torch is None:
        return None
    version = tuple(int(part) for part in facts.torch.split("+")[0].split(".")[:2])
    if version >= TORCH:
        return None
    return (
        f"torch {facts.torch} is older than {'.'.join(map(str, TORCH))}, which this was made and "
        "measured with: pip install --upgrade torch."
    )


def _precision(machine: MachineFacts, run: RunFacts) -> str | None:
    slow = machine.bf16_gain is not None and machine.bf16_gain < FASTER_IN_BF16
    if run.precision != "fp32" or not machine.bf16 or slow:
        return None
    gain = f", {machine.bf16_gain:.1f} times as fast" if machine.bf16_gain else ""
    return f"The run computes in fp32 where bf16 is at hand{gain}: leave out --precision."


def _data(run: RunFacts) -> str | None:
    if run.data_share is None or run.data_share <= DATA_WAIT:
        return None
    return (
        f"{run.data_share:.0%} of a step is spent waiting for the batch: put the tokens folder on "
        "a fast local disk, or leave a core free for the loader."
    )


def _padding(run: RunFacts) -> str | None:
    if run.padding_share is None or run.padding_share < PADDING:
        return None
    return (
        f"{run.padding_share:.0%} of the places are padding, which attention computes: use --plan "
        "none, which has none, or make the tokens with --sentences split, which leaves fewer."
    )


def _compile(run: RunFacts) -> str | None:
    if run.compile_failed is None:
        return None
    return (
        f"torch.compile gave up ({run.compile_failed}), so the step runs uncompiled: mend that, or "
        "say --compile off."
    )


def _micro_batch(machine: MachineFacts, run: RunFacts) -> str | None:
    least = CARD_TOKENS if machine.device == "cuda" else PROCESSOR_TOKENS
    if run.micro_batch_tokens is None or run.micro_batch_tokens >= least:
        return None
    what = "card" if machine.device == "cuda" else "processor"
    return (
        f"{run.micro_batch_tokens:,} tokens at once do not fill the {what}: raise --micro-batch to "
        f"hold {least:,} or more, as far as memory goes."
    )


def _masked(machine: MachineFacts, run: RunFacts) -> str | None:
    least = CARD_MASKED if machine.device == "cuda" else PROCESSOR_MASKED
    if run.micro_batch_masked is None or run.micro_batch_masked >= least:
        return None
    return (
        f"The head sees only {run.micro_batch_masked:,} masked positions at once, too few for a "
        "fast product with the vocabulary: raise --micro-batch."
    )


def _recompute(run: RunFacts) -> str | None:
    if not run.recompute or run.memory_free_share is None or run.memory_free_share < FREE_SHARE:
        return None
    return (
        f"--recompute costs a third more work, and {run.memory_free_share:.0%} of the memory is "
        "free: leave it out."
    )
