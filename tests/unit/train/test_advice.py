import dataclasses

import pytest

from unmask.train.advice import MachineFacts, RunFacts, advice

GOOD = MachineFacts(
    device="cpu",
    bf16=True,
    bf16_gain=4.0,
    cores=8,
    threads=8,
    memory_free=64 << 30,
    disk_free=500 << 30,
    compiler=True,
    torch="2.13.0+cpu",
)
CARD = dataclasses.replace(GOOD, device="cuda")
FAST = RunFacts(
    precision="bf16",
    micro_batch_tokens=8_192,
    micro_batch_masked=1_228,
    padding_share=0.02,
    data_share=0.01,
    recompute=True,
    memory_free_share=0.1,
)


def test_nothing_is_said_where_nothing_is_slow():
    assert advice(GOOD) == []
    assert advice(GOOD, FAST) == []
    assert advice(CARD, FAST) == []


def test_nothing_is_said_of_what_is_not_known():
    assert advice(MachineFacts(device="cuda", bf16=True), RunFacts()) == []


@pytest.mark.parametrize(
    ("facts", "what", "hint"),
    [
        ({"threads": 1, "omp_threads": "1"}, "1 of 8 cores, because OMP_NUM_THREADS=1", "unset it"),
        ({"threads": 2}, "2 of 8 cores", "set OMP_NUM_THREADS=8"),
        (
            {"threads": 1, "processes": 2, "omp_threads": "1"},
            "2 of 8 cores, because OMP_NUM_THREADS=1",
            "set it to 4.",
        ),
        ({"quota": 2.0}, "allowed the time of 2 cores", "OMP_NUM_THREADS=2"),
        ({"bf16": False, "bf16_gain": None}, "no bf16 instructions", "a card"),
        ({"bf16_gain": 0.9}, "only 0.9 times as fast", "newer torch"),
        ({"memory_free": 1 << 30}, "Only 1.0 GiB of memory", "lower --micro-batch"),
        ({"disk_free": 3 << 30}, "Only 3.0 GiB of disk", "--out"),
        ({"compiler": False}, "no C++ compiler", "install g++"),
        ({"torch": "2.9.1"}, "torch 2.9.1 is older than 2.11", "pip install --upgrade torch"),
        ({"card_unseen": True}, "card that torch cannot use", "install a torch"),
    ],
)
def test_what_the_machine_lacks_is_said_with_what_to_do(facts, what, hint):
    (sentence,) = advice(dataclasses.replace(GOOD, **facts))

    assert_plain(sentence, what, hint)


@pytest.mark.parametrize(
    ("facts", "what", "hint"),
    [
        ({"precision": "fp32"}, "in fp32 where bf16 is at hand", "leave out --precision"),
        ({"data_share": 0.3}, "30% of a step is spent waiting", "local disk"),
        ({"padding_share": 0.4}, "40% of the places are padding", "--plan none"),
        ({"compile_failed": "no cc"}, "torch.compile gave up (no cc)", "--compile off"),
        ({"micro_batch_tokens": 128}, "128 tokens at once", "raise --micro-batch"),
        ({"micro_batch_masked": 9}, "only 9 masked positions", "raise --micro-batch"),
        ({"memory_free_share": 0.7}, "--recompute costs a third more work", "leave it out"),
    ],
)
def test_what_slows_the_run_is_said_with_what_to_do(facts, what, hint):
    (sentence,) = advice(GOOD, dataclasses.replace(FAST, **facts))

    assert_plain(sentence, what, hint)


def assert_plain(sentence, what, hint):
    assert what in sentence
    assert hint in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"padding_share": 0.4}, True),
        ({"padding_share": 0.399}, False),
        ({"data_share": 0.1}, False),
        ({"data_share": 0.11}, True),
        ({"memory_free_share": 0.9, "recompute": False}, False),
    ],
)
def test_small_costs_are_not_worth_a_word(facts, said):
    assert bool(advice(GOOD, dataclasses.replace(FAST, **facts))) == said


def test_a_card_wants_more_at_once_than_a_processor():
    few = dataclasses.replace(FAST, micro_batch_tokens=2_048, micro_batch_masked=300)

    assert advice(GOOD, few) == []
    assert len(advice(CARD, few)) == 2


def test_fp32_is_right_where_bf16_is_no_faster_or_not_there():
    fp32 = dataclasses.replace(FAST, precision="fp32")

    for machine in ({"bf16_gain": 1.0}, {"bf16": False, "bf16_gain": None}):
        sentences = advice(dataclasses.replace(GOOD, **machine), fp32)
        assert len(sentences) == 1
        assert "leave out --precision" not in sentences[0]


def test_threads_are_no_matter_on_a_card_or_as_many_as_the_container_is_allowed():
    assert advice(dataclasses.replace(CARD, threads=1)) == []
    assert advice(dataclasses.replace(GOOD, threads=2, quota=2.0)) == []


def test_processes_of_one_thread_each_use_all_cores():
    assert advice(dataclasses.replace(GOOD, threads=1, processes=8, omp_threads="1")) == []


def test_an_old_card_is_told_apart_from_an_old_processor():
    (sentence,) = advice(dataclasses.replace(CARD, bf16=False, bf16_gain=None))

    assert "fp16 with a scaled loss" in sentence
