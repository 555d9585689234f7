from pathlib import Path

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.entities.sentence import Sentence
from unmask.finetune.entities.tags import tag_names, tag_numbers


def sentence(*tags, number=1):
    return Sentence(("w",) * len(tags), tags, Path("dev.txt"), number)


def test_outside_comes_first_and_types_by_name_with_both_tags_each():
    names = tag_names([sentence("B-PER", "O"), sentence("B-LOC", "I-LOC"), sentence("B-A-B")])

    assert names == ("O", "B-A-B", "I-A-B", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_the_order_of_types_does_not_depend_on_that_of_the_data():
    kinds = [f"T{number:02}" for number in range(40)]

    assert tag_names([sentence(*(f"B-{kind}" for kind in reversed(kinds)))])[1::2] == tuple(
        f"B-{kind}" for kind in kinds
    )


def test_words_of_all_sentences_are_numbered_end_to_end():
    tag_M = tag_numbers([sentence("B-A", "I-A"), sentence("O")], ("O", "B-A", "I-A"))

    np.testing.assert_array_equal(tag_M, [1, 2, 0])


def test_an_unknown_tag_is_named_with_its_place():
    with pytest.raises(UserError) as caught:
        tag_numbers([sentence("O"), sentence("O", "B-X", number=7)], ("O", "B-A", "I-A"))

    assert caught.value.what == "dev.txt: line 8: tag 'B-X' does not occur in the training data"
    assert "the types are A" in caught.value.hint


def test_data_without_entities_are_refused():
    with pytest.raises(UserError, match="no word of the training data is of an entity"):
        tag_names([sentence("O", "O")])
