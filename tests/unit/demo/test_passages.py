from itertools import product

import pytest

from unmask.core.errors import UserError
from unmask.demo import passages
from unmask.demo.passages import Passage

SIZES = {"train": 160, "dev": 8, "test": 16}
NAMES = {name: (name,) for name in ("torch", "rich", "numpy", "scikit-learn", "click")}
WORDS = ["".join(letters) for letters in product("bcdf", "aeiou", "lmnr", "aeiou")]


def passages_of(label: str, counts: dict[str, int]) -> list[Passage]:
    """Passages that differ in one word each."""
    start = list(NAMES).index(label) * 80
    splits = [split for split, count in counts.items() for _ in range(count)]
    return [
        Passage(f"The {label} call {word} answers.", label, split)
        for word, split in zip(WORDS[start:], splits, strict=False)
    ]


def four_classes() -> list[Passage]:
    counts = {"pretraining": 2, "train": 50, "dev": 5, "test": 5}
    return [each for name in list(NAMES)[:4] for each in passages_of(name, counts)]


@pytest.mark.parametrize("shares", [passages.MODULES, passages.PASSAGES], ids=["modules", "texts"])
def test_shares_are_percent(shares):
    splits = [passages.deal(f"package.module_{number}", shares, 0) for number in range(2000)]

    assert sum(shares.values()) == 100
    for split, share in shares.items():
        assert abs(splits.count(split) / 20 - share) < 4


def test_a_name_is_dealt_alike_everywhere():
    splits = [passages.deal(f"package.module_{n}", passages.PASSAGES, seed=0) for n in range(5)]

    assert splits == ["test", "train", "train", "test", "test"]


def test_a_passage_is_the_prose_of_a_docstring():
    sentence = "It keeps the order in which the keys were put in, and finds each of them fast."
    other = [">>> code()", "{1: 'an output'}", "    model = 1", "| a | row |", "See Also", "Args:"]
    items = [
        "- One item.",
        "key (str): What to look for.",
        ":param key: The same.",
        "key : str The same.",
    ]
    docstring = "\n".join([sentence, *other, *items, sentence])

    assert passages.prose(docstring) == f"{sentence} {sentence}"


def test_prose_too_short_says_nothing_and_long_prose_is_cut_at_a_paragraph():
    paragraph = "a word or two " * 20 + "."

    assert passages.prose("It returns the number.") is None
    assert passages.prose(f"{paragraph}\n{paragraph}\n{paragraph}") == f"{paragraph} {paragraph}"


def test_names_of_all_classes_are_blanked_as_words_and_in_dotted_names():
    told = "NumPy, PyTorch's torch.nn, scikit learn, torch_dtype: enrich the rich richness."
    extra = Passage(told, "torch", "train")

    task = passages.label([*four_classes(), extra], NAMES, SIZES | {"train": 400}, seed=0)

    assert "it, it's it.nn, it, it_dtype: enrich the it richness." in {
        each.text for each in task["train"]
    }


def test_each_class_gets_the_same_share():
    task = passages.label(four_classes(), NAMES, SIZES, seed=0)

    for split, rows in task.items():
        labels = [row.label for row in rows]
        assert {labels.count(name) for name in set(labels)} == {SIZES[split] // 4}


def test_what_an_earlier_split_holds_is_dropped_from_the_later_even_under_another_name():
    held = [
        Passage("Known from torch pretraining.", "torch", "pretraining"),
        Passage("Known from rich pretraining.", "rich", "test"),
        Passage("Known from training with torch 2.", "torch", "train"),
        Passage("Known from training with rich 3.", "rich", "test"),
    ]

    task = passages.label([*four_classes(), *held], NAMES, dict.fromkeys(SIZES, 1000), seed=0)

    known = [(row.text, split) for split in task for row in task[split] if "Known" in row.text]
    assert known == [("Known from training with it 2.", "train")]


def test_the_seed_draws_other_passages():
    draws = [passages.label(four_classes(), NAMES, SIZES, seed=seed) for seed in (0, 0, 1)]

    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_too_few_classes_are_refused():
    poor = passages_of("click", {"train": 29, "dev": 5, "test": 5})
    three = [each for each in four_classes() if each.label != "torch"]

    with pytest.raises(UserError, match="only 3 installed packages have 30") as refusal:
        passages.label([*three, *poor], NAMES, SIZES, seed=0)

    assert "byte budget" in refusal.value.hint
