"""Filling, features and pseudo-perplexity against transformers, on folders that both read.

L length, V vocabulary, T tokens, D width.
"""

import math
import random

import numpy as np
import pytest
import torch

from unmask.infer.features.states import Extractor, text_features, token_features
from unmask.infer.language.fill import fill
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.perplexity import corpus_perplexity, pseudo_likelihoods
from unmask.infer.language.together import fill_together
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.train import train

transformers = pytest.importorskip("transformers")

LENGTH = 64
WORDS = ["the", "cat", "dog", "sat", "on", "mat", "and", "ate", "fish", "is", "too", "big"]
PIECES = [
    *["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    *WORDS,
    *["walk", "##ing", "##s", "a", "b", "##a", "##b", "我", "爱", "北", "京", ",", ".", "!"],
]
EXTRA = ["walking", "abba", "北京", "我爱", "!", "Cat", "", " ", "😀"]


@pytest.fixture(scope="module", params=["roberta", "bert"])
def folder(request, tmp_path_factory):
    """A random model with its tokenizer, as a folder."""
    path = tmp_path_factory.mktemp(request.param)
    roberta = request.param == "roberta"
    if roberta:
        tokenizer = train([" ".join(WORDS)] * 3, 291)
    else:
        tokenizer = word_piece({piece: id_ for id_, piece in enumerate(PIECES)}, lowercase=True)
    config = ModelConfig(
        family=request.param,
        vocabulary=tokenizer.vocabulary,
        layers=3,
        width=32,
        heads=4,
        feed_forward=48,
        max_length=LENGTH,
        types=1 if roberta else 2,
        norm_eps=1e-5 if roberta else 1e-12,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )
    model = MaskedLM(config)
    initialise(model, 0)
    torch.manual_seed(5)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    weights.save(model, path)
    tokenizer.save(path, model_max_length=LENGTH)
    return path


@pytest.fixture(scope="module")
def theirs(folder):
    transformers.utils.logging.disable_progress_bar()
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def texts_with(mask, count, seed=0):
    """Random texts with one to three masks, here and there without spaces."""
    dice = random.Random(seed)
    texts = []
    for _ in range(count):
        words = [dice.choice(WORDS + EXTRA) for _ in range(dice.randint(0, 9))]
        for _ in range(dice.randint(1, 3)):
            words.insert(dice.randint(0, len(words)), mask)
        texts.append(dice.choice([" ", " ", "  ", ""]).join(words))
    return texts


def answers(pipeline, text, **settings):
    """Lists of (token, score) for each mask; the pipeline unpacks the list of a single mask."""
    found = pipeline(text, **settings)
    found = [found] if isinstance(found[0], dict) else found
    return [[(item["token"], item["score"], item["token_str"]) for item in mask] for mask in found]


def assert_same_answers(masks, expected):
    assert len(masks) == len(expected)
    for mine, other in zip(masks, expected, strict=True):
        assert [item.id for item in mine] == [id_ for id_, _, _ in other]
        assert [item.token for item in mine] == [token for _, _, token in other]
        assert [item.probability for item in mine] == pytest.approx(
            [score for _, score, _ in other], abs=1e-6
        )


def test_candidates_are_those_of_the_fill_mask_pipeline(folder, theirs):
    pipeline = transformers.pipeline("fill-mask", model=theirs[0], tokenizer=theirs[1])
    texts = texts_with(theirs[1].mask_token, 60)

    found = fill(LanguageModel.open(folder), texts, top_k=4)

    for text, mine in zip(texts, found, strict=True):
        assert_same_answers(mine.masks, answers(pipeline, text, top_k=4))


def test_with_targets_the_candidates_are_those_of_the_pipeline(folder, theirs):
    pipeline = transformers.pipeline("fill-mask", model=theirs[0], tokenizer=theirs[1])
    mask = theirs[1].mask_token
    words = ["cat", "dog", "fish"]

    found = fill(LanguageModel.open(folder), [f"the {mask} sat"], targets=words)

    roberta = theirs[0].config.model_type == "roberta"
    tokens = ["Ġ" + word for word in words] if roberta else words
    assert_same_answers(found[0].masks, answers(pipeline, f"the {mask} sat", targets=tokens))


def test_fillings_together_are_the_best_of_all_that_there_are(folder, theirs):
    """Every order-preserving filling is scored by hand, one run of the model for each mask."""
    model, tokenizer = theirs
    mask = tokenizer.mask_token
    words = ["cat", "dog", "fish", "mat"]
    text = f"the {mask} and the {mask} ate the {mask} too"

    fillings = fill_together(LanguageModel.open(folder), [text], targets=words, top_k=64, beam=64)[
        0
    ]

    assert len(fillings) == 64
    for filling in fillings:
        ids_L = torch.tensor(tokenizer(text)["input_ids"])
        total = 0.0
        for id_ in filling.ids:
            place = (ids_L == tokenizer.mask_token_id).nonzero()[0, 0]
            with torch.no_grad():
                logits_V = model(ids_L[None]).logits[0, place]
            total += logits_V.log_softmax(-1)[id_].item()
            ids_L[place] = id_
        assert filling.log_probability == pytest.approx(total, abs=1e-5)
        kept = tokenizer.decode(ids_L, skip_special_tokens=True)
        assert filling.text.split() == kept.split()
    scores = [filling.log_probability for filling in fillings]
    assert scores == sorted(scores, reverse=True)
    assert len({filling.ids for filling in fillings}) == 64


TEXTS = ["the cat sat", "", "walking and abba 北京!", "a", " ".join(WORDS), "😀 cat", "x" * 90]


@pytest.mark.parametrize("layers", [(-1,), (0, 1, 2, 3), (-2, 2, 0)])
def test_features_are_the_hidden_states_of_transformers(folder, theirs, layers):
    model, tokenizer = theirs
    extractor = Extractor.open(folder)

    tokens = token_features(extractor, TEXTS, layers=layers)
    means_NKD = text_features(extractor, TEXTS, layers=layers)
    firsts_NKD = text_features(extractor, TEXTS, layers=layers, pooling="first")

    for number, text in enumerate(TEXTS):
        batch = tokenizer(text, truncation=True, max_length=LENGTH, return_tensors="pt")
        with torch.no_grad():
            states = model(**batch, output_hidden_states=True).hidden_states
        expected_KTD = torch.stack([states[layer][0] for layer in layers]).numpy()
        assert tokens[number].vectors_KTD == pytest.approx(expected_KTD, abs=2e-5)
        assert list(tokens[number].tokens) == tokenizer.convert_ids_to_tokens(batch["input_ids"][0])
        assert means_NKD[number] == pytest.approx(expected_KTD.mean(axis=1), abs=2e-5)
        assert firsts_NKD[number] == pytest.approx(expected_KTD[:, 0], abs=2e-5)


def test_features_of_pairs_are_those_of_transformers(folder, theirs):
    model, tokenizer = theirs
    lefts, rights = ["the cat sat", "", "the mat"], ["big", "the dog and the fish", "ab"]

    found = token_features(Extractor.open(folder), lefts, rights)

    for number, (left, right) in enumerate(zip(lefts, rights, strict=True)):
        batch = tokenizer(left, right, return_tensors="pt")
        with torch.no_grad():
            states = model(**batch, output_hidden_states=True).hidden_states
        assert found[number].vectors_KTD[0] == pytest.approx(states[-1][0].numpy(), abs=2e-5)


def scores_by_hand(model, tokenizer, text):
    """Salazar et al. 2020, equation 1: hide each token in turn and read off its log p.

    A text that is too long is seen in a window in whose middle the token is.
    """
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    room = LENGTH - 2
    scores = []
    for place, id_ in enumerate(ids):
        if id_ in tokenizer.all_special_ids:
            continue
        start = max(0, min(place - room // 2, len(ids) - room))
        row = [tokenizer.cls_token_id, *ids[start : start + room], tokenizer.sep_token_id]
        row[place - start + 1] = tokenizer.mask_token_id
        with torch.no_grad():
            logits_LV = model(torch.tensor([row])).logits[0]
        scores.append(logits_LV[place - start + 1].log_softmax(-1)[id_].item())
    return scores


def test_pseudo_likelihoods_are_those_of_one_run_for_each_token(folder, theirs):
    mask = theirs[1].mask_token
    texts = [*TEXTS, *texts_with(mask, 8, seed=2), " ".join(WORDS * 9)]

    found = pseudo_likelihoods(LanguageModel.open(folder), texts)

    expected = [scores_by_hand(*theirs, text) for text in texts]
    for mine, scores in zip(found, expected, strict=True):
        assert list(mine.log_probabilities) == pytest.approx(scores, abs=2e-5)
        assert mine.total == pytest.approx(sum(scores), abs=1e-3)
    flat = [score for scores in expected for score in scores]
    assert corpus_perplexity(found) == pytest.approx(math.exp(-np.mean(flat)), rel=1e-5)
