"""Words and pronouns against fairseq's algorithms, written out here from their description.

fairseq/models/roberta/alignment_utils.py joins tokens to words by their letters;
examples/roberta/wsc/wsc_task.py cuts a text into prefix, candidate and suffix and counts tokens.
T tokens, W words, L length, V vocabulary, D width.
"""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from unmask.infer.features.states import Extractor, token_features
from unmask.infer.features.words import word_features
from unmask.infer.language.choose import Question, choose
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.pronouns import Pronoun, disambiguate
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.tokenizer import imports
from unmask.tokenizer.train import train

LINES = ["The trophy does not fit into the brown case because it is too big, don't it?"] * 3


def model_of(tokenizer):
    config = ModelConfig(
        family="roberta",
        vocabulary=tokenizer.vocabulary,
        layers=2,
        width=16,
        heads=2,
        feed_forward=24,
        max_length=80,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )
    model = MaskedLM(config)
    initialise(model, 0)
    torch.manual_seed(3)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model.eval()


@pytest.fixture(scope="module")
def tokenizer():
    return train(LINES, 300)


@pytest.fixture(scope="module")
def model(tokenizer):
    return model_of(tokenizer)


def alignment(tokens, words):
    """Which tokens lie on each word, by eating up the letters of both in step."""
    left = [[number, token.strip()] for number, token in tokens if token.strip()]
    aligned = []
    for word in words:
        mine = []
        while word:
            number, token = left[0]
            mine.append(number)
            common = min(len(word), len(token))
            assert word[:common] == token[:common]
            word, left[0][1] = word[common:], token[common:]
            if not left[0][1]:
                left.pop(0)
        aligned.append(mine)
    return aligned


def cut_anywhere(text, dice):
    """Words of random length: some end within a token, as spaCy's may."""
    words = []
    for chunk in text.split():
        while chunk:
            size = dice.randint(1, 6)
            words.append(chunk[:size])
            chunk = chunk[size:]
    return words


def test_words_get_the_features_of_fairseqs_alignment(model, tokenizer):
    dice = random.Random(0)
    vocabulary = [*" ".join(LINES[:1]).split(), "zebra", "(no)", '"so"', "  "]
    texts = [" ".join(dice.choices(vocabulary, k=dice.randint(1, 9))) for _ in range(60)]
    extractor = Extractor(model.encoder, tokenizer)
    words = [cut_anywhere(text, dice) for text in texts]

    found = word_features(extractor, texts, words)
    tokens = token_features(extractor, texts)

    for text, mine, raw, chunks in zip(texts, found, tokens, words, strict=True):
        states_TD = raw.vectors_KTD[0]
        ids = tokenizer.encode([text])[0].ids
        named = [(n, tokenizer.decode([id_])) for n, id_ in enumerate(ids)][1:-1]
        aligned = alignment(named, chunks)
        shared = Counter(number for numbers in aligned for number in numbers)
        expected_WD = [
            sum(states_TD[number] / shared[number] for number in numbers) for numbers in aligned
        ]
        assert list(mine.words) == chunks
        assert mine.vectors_KWD[0] == pytest.approx(
            np.reshape(expected_WD, (-1, states_TD.shape[1])), abs=1e-5
        )


def score_by_prefix(model, tokenizer, before, candidate, after):
    """Mask as many tokens after the prefix as the candidate has; the mean of their log p."""
    lead = " " if before.endswith(" ") else ""
    prefix, own = (
        tokenizer.encode_lines([part])[0] for part in (before.rstrip(), lead + candidate)
    )
    ids_L = torch.tensor(tokenizer.encode([before + candidate + after])[0].ids)
    places = torch.arange(len(own)) + 1 + len(prefix)
    hidden_L = ids_L.clone()
    hidden_L[places] = tokenizer.mask_id
    with torch.no_grad():
        log_LV = model(hidden_L[None])[0].log_softmax(-1)
    return log_LV[places, ids_L[places]].mean().item()


CANDIDATES = ["the trophy", "the brown case", "it", "a zebra", "the case's big zebra"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The trophy does not fit into the brown case because ", " is too big."),
        ("", " does not fit into the brown case"),
        ("because the trophy does not fit, ", ""),
        ('The "', '", too big'),
    ],
)
def test_candidates_score_as_fairseq_scores_them(model, tokenizer, before, after):
    lm = LanguageModel(model, tokenizer)

    choice = choose(lm, [Question(before, after, tuple(CANDIDATES))])[0]

    expected = [score_by_prefix(model, tokenizer, before, item, after) for item in CANDIDATES]
    assert list(choice.scores) == pytest.approx(expected, abs=1e-5)
    assert choice.number == int(np.argmax(expected))


def test_pronouns_are_answered_as_by_fairseq(model, tokenizer):
    """A query holds if it is at least as likely as every rival; else the likeliest is named."""
    lm = LanguageModel(model, tokenizer)
    before, after = "The trophy does not fit into the case because ", " is big."
    scores = {item: score_by_prefix(model, tokenizer, before, item, after) for item in CANDIDATES}

    for query in CANDIDATES:
        rivals = [
            item
            for item in CANDIDATES
            if item.lower() not in query.lower() and query.lower() not in item.lower()
        ]
        pronoun = Pronoun(before + "it" + after, len(before), len(before) + 2, tuple(rivals), query)
        answer = disambiguate(lm, [pronoun])[0]
        assert answer.is_query == all(scores[query] >= scores[item] for item in rivals)
    marked = Pronoun.parse(f"{before}[it]{after}", CANDIDATES)
    assert disambiguate(lm, [marked])[0].best == max(scores, key=scores.__getitem__)


def test_fairseqs_own_sentence_has_eight_words(shared_data):
    """Its test aligns this to ten items: the words and the two special tokens."""
    roberta = imports.read(imports.find(shared_data / "bpe/roberta"))
    extractor = Extractor(model_of(roberta).encoder, roberta)
    text = 'I said, "hello RoBERTa."'
    words = ["I", "said", ",", '"', "hello", "RoBERTa", ".", '"']

    found = word_features(extractor, [text], [words])[0]
    states_TD = token_features(extractor, [text])[0].vectors_KTD[0]

    assert found.words == tuple(words)
    assert found.vectors_KWD[0].sum(0) == pytest.approx(states_TD[1:-1].sum(0), abs=1e-4)
