"""Several processes train as one does: the same batches, and the same numbers up to rounding."""

import signal

import pytest

from .processes import Started, finished, results, tensors, torchrun, wait_for_rows

pytestmark = pytest.mark.e2e

STEPS = 16
WORDS = (
    *("--tokens", "tokens", "--steps", STEPS, "--micro-batch", "2", "--log-every", "1"),
    *("--evaluate-every", "8", "--checkpoint-every", "6"),
)
COUNTS = ("tokens", "blocks", "masked_share", "padding_share", "masked_tokens", "lr", "skipped")
"""What must be the same to the bit."""


@pytest.fixture(scope="module")
def words(shape):
    def made(out, **flags):
        more = [word for name, value in flags.items() for word in (f"--parallel.{name}", value)]
        return ("--out", f"ranks/{out}", *shape, *WORDS, *more)

    return made


@pytest.fixture(scope="module")
def alone(line, words):
    """One process that computes four micro-batches a step."""
    finished(line, words("alone"))
    return line.folder / "ranks" / "alone"


def assert_the_same_training(folder, alone):
    """Sums are added up in another order, and AdamW divides small numbers by small numbers."""
    ours, theirs = results(folder), results(alone)
    found = {key for key in ours if key[0] != "activations"}
    assert found == {key for key in theirs if key[0] != "activations"}
    assert len(found) == STEPS + 3
    for key in found:
        for name, value in theirs[key].items():
            if name in COUNTS:
                assert ours[key][name] == value, (key, name)
            elif isinstance(value, float):
                assert ours[key][name] == pytest.approx(value, rel=1e-3, abs=1e-5), (key, name)
    ours, theirs = tensors(folder), tensors(alone)
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert float((ours[name] - tensor).abs().max()) < 1e-3, name


@pytest.mark.parametrize("processes", [2, 4])
def test_torchrun_shares_the_work_and_not_the_result(processes, line, words, alone):
    said = torchrun(line, words(f"torchrun-{processes}"), processes)

    assert_the_same_training(line.folder / "ranks" / f"torchrun-{processes}", alone)
    assert f"fp32 on {processes} x cpu" in said
    assert said.count("model: ranks") == 1


@pytest.mark.parametrize("shard", ["zero1", "zero2", "zero3"])
def test_parting_moments_gradients_and_weights_changes_nothing(shard, line, words, alone):
    finished(line, words(shard, shard=shard), processes=2)

    assert_the_same_training(line.folder / "ranks" / shard, alone)


@pytest.mark.parametrize(
    ("before", "after"),
    [((2, "zero2"), (1, "none")), ((1, "none"), (2, "zero3"))],
    ids=str,
)
def test_a_run_goes_on_with_other_processes_that_share_it_in_another_way(
    before, after, line, words, alone
):
    (first, how), (second, then) = before, after
    name = f"from-{first}-{how}-to-{second}-{then}"
    folder = line.folder / "ranks" / name
    started = Started(line, words(name, shard=how), processes=first)
    wait_for_rows(folder, "train", 4, going=started.going)
    started.signal(signal.SIGTERM, rank=first - 1)
    codes, said = started.end()
    assert codes == [0] * first, said
    assert "SIGTERM: saved at step" in said

    said = finished(line, words(name, shard=then), processes=second)

    assert "going on from step" in said
    assert_the_same_training(folder, alone)


def test_processes_that_cannot_share_a_step_are_told_so(line, words):
    small = ("--batch", "1", "--micro-batch", "1")
    codes, said = Started(line, (*words("small"), *small), processes=2).end()

    assert codes == [2, 2]
    assert "error: 1 blocks cannot be shared by 2 processes" in said
    assert "hint: give a larger --batch" in said
