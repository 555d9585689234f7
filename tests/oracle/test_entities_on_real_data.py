"""CoNLL-2003 and People's Daily: official counts, before and after, and no word is lost."""

from collections import Counter

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.data_config import EntitiesConfig
from unmask.finetune.entities import columns, files, read, scheme, windows
from unmask.finetune.entities.tags import tag_names, tag_numbers
from unmask.finetune.entities.words import Words, joiner
from unmask.tokenizer import imports

labeling = pytest.importorskip("seqeval.metrics.sequence_labeling")

ENGLISH, CHINESE = "conll2003", "peoples_daily_ner"
SENTENCES = {
    (ENGLISH, "train"): 14041,
    (ENGLISH, "dev"): 3250,
    (ENGLISH, "test"): 3453,
    (CHINESE, "dev"): 2318,
    (CHINESE, "test"): 4636,
}
ENTITIES = {
    (ENGLISH, "train"): {"LOC": 7140, "MISC": 3438, "ORG": 6321, "PER": 6600},
    (ENGLISH, "dev"): {"LOC": 1837, "MISC": 922, "ORG": 1341, "PER": 1842},
    (ENGLISH, "test"): {"LOC": 1668, "MISC": 702, "ORG": 1661, "PER": 1617},
}
"""Of the task's paper (Tjong Kim Sang and De Meulder 2003, table 2)."""


def counts(sentences):
    return Counter(
        kind for item in sentences for kind, _, _ in labeling.get_entities(list(item.tags))
    )


@pytest.mark.parametrize(("name", "split"), SENTENCES)
def test_sentences_and_entities_are_those_of_the_papers(shared_data, name, split):
    path = files.find(shared_data / name, split)

    written = columns.read(path, EntitiesConfig()).sentences
    sentences = read.read(path, EntitiesConfig())

    assert len(sentences) == SENTENCES[name, split]
    assert counts(written) == counts(sentences)
    begins = Counter(tag[2:] for item in sentences for tag in item.tags if tag[0] == "B")
    assert begins == counts(sentences) == ENTITIES.get((name, split), begins)
    assert joiner(sentences) == (" " if name == ENGLISH else "")


def test_slips_in_a_large_file_are_counted_and_read_where_that_is_asked_for(shared_data):
    path = shared_data / CHINESE / "msra_train_without_devtest.txt.gz"
    written = columns.read(path, EntitiesConfig()).sentences

    assert scheme.detect(written) == "iob2"
    with pytest.raises(UserError, match=r"line 616388: tag 'I-.*nor do 17 in this file"):
        scheme.to_iob2(written, "iob2")

    converted = scheme.to_iob2(written, "iob1")
    assert len(converted) == 47182
    begins = Counter(tag[2:] for item in converted for tag in item.tags if tag[0] == "B")
    assert begins == counts(written)


@pytest.mark.parametrize("name", [ENGLISH, CHINESE])
@pytest.mark.parametrize("vocabulary", ["bpe/roberta", "wordpiece/bert-base-chinese"])
def test_no_word_is_lost_in_short_windows(shared_data, name, vocabulary):
    lowercase = True if "wordpiece" in vocabulary else None
    tokenizer = imports.read(imports.find(shared_data / vocabulary), lowercase=lowercase)
    sentences = read.read(files.find(shared_data / name, "dev"), EntitiesConfig())
    words = Words.joined([item.words for item in sentences], joiner(sentences))
    tag_M = tag_numbers(sentences, tag_names(sentences))

    found = windows.cut(words, tokenizer, 16)

    assert (found.sequences.lengths_N <= 16).all()
    asked = found.word_T[found.word_T >= 0]
    np.testing.assert_array_equal(np.sort(asked), np.arange(len(words)))
    label_T = found.targets(tag_M)
    np.testing.assert_array_equal(np.bincount(label_T[label_T >= 0]), np.bincount(tag_M))


@pytest.mark.parametrize("vocabulary", ["bpe/roberta", "wordpiece/bert-base-cased"])
def test_english_sentences_are_tokenised_as_running_text(shared_data, vocabulary):
    lowercase = False if "wordpiece" in vocabulary else None
    tokenizer = imports.read(imports.find(shared_data / vocabulary), lowercase=lowercase)
    sentences = read.read(files.find(shared_data / ENGLISH, "test"), EntitiesConfig())
    words = Words.joined([item.words for item in sentences], " ")

    found = windows.cut(words, tokenizer, 10_000)

    running = [id_ for encoding in tokenizer.encode(words.texts) for id_ in encoding.ids]
    assert found.sequences.ids_T.tolist() == running
