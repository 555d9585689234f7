"""The pictures of docs/input-formats.md are what the plans make of the corpus named there."""

import re
from pathlib import Path

import numpy as np
import pytest

from unmask.tokens import format as shards
from unmask.tokens.plan_names import PLAN_NAMES
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import Shard

PAGE = Path(__file__).parents[3] / "docs" / "input-formats.md"
DOCUMENTS = [
    ["The cat sleeps", "It dreams of fish"],
    ["Fish swim", "They swim all day long"],
    ["Dogs bark"],
]


def pictured(name, length):
    """The blocks of a plan, a word a token."""
    words, lengths = ["<s>", "·", "</s>"], []
    for document in DOCUMENTS:
        for sentence in document:
            words += sentence.split()
            lengths.append(len(sentence.split()))
        lengths.append(0)
    ids_T = np.arange(3, len(words), dtype=np.uint16)
    shard = Shard(ids_T, np.frombuffer(shards.pack_lengths(np.array(lengths)), np.uint8))
    plan = choose(name, [shard], length, SpecialIds(bos=0, eos=2, pad=1))
    return [" ".join(words[id_] for id_ in row) for row in plan.read(np.arange(plan.count)).ids_BL]


@pytest.mark.parametrize("name", PLAN_NAMES)
def test_the_picture_of_a_format_is_what_its_plan_makes(name):
    text = PAGE.read_text(encoding="utf-8")
    length = int(re.search(r"the length is (\d+)", text)[1])

    (picture,) = re.findall(rf"^```{name}\n(.+?)^```", text, re.MULTILINE | re.DOTALL)

    assert picture.splitlines() == pictured(name, length)


def test_the_corpus_of_the_pictures_is_the_one_that_is_named():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())

    for document in DOCUMENTS:
        assert f"*{' / '.join(document)}*" in text
