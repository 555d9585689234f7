"""The rounded model in torch against its 8-bit graph in onnxruntime, node by node as written."""

import numpy as np
import onnxruntime
import pytest
import torch

from unmask.export.graph.heads import Form, graph_of
from unmask.export.int8.calibration import observe
from unmask.export.int8.damage import answers
from unmask.export.int8.fake import rounded
from unmask.export.int8.migration import plan
from unmask.export.int8.plan import LEVELS, LEVELS_WITHOUT_VNNI
from unmask.finetune.inputs import Maker
from unmask.finetune.sequences import Sequences
from unmask.model.config import ModelConfig
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
    build,
)
from unmask.model.init import initialise

KINDS = [SequenceClassifier, MultipleChoice, TokenClassifier, SpanExtractor, MaskedLM]
PAD = {"roberta": 1, "bert": 0}


def model_of(family, kind):
    config = ModelConfig(
        family=family,
        vocabulary=120,
        layers=2,
        width=32,
        heads=4,
        feed_forward=64,
        max_length=64,
        types=1 if family == "roberta" else 2,
        norm_eps=1e-5 if family == "roberta" else 1e-12,
        pad_id=PAD[family],
    )
    model = build(kind, config, ("a", "b", "c") if "Classifier" in kind.__name__ else ())
    initialise(model, 0)
    for parameter in model.parameters():  # larger than at the start, so that errors show
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model.eval()


def texts(count, seed):
    dice = np.random.default_rng(seed)
    lengths = dice.integers(3, 40, count)
    ids = [dice.integers(4, 120, length).tolist() for length in lengths]
    return Sequences.of(ids, [[0] * 2 + [1] * (len(one) - 2) for one in ids])


def told(session, inputs):
    """The graph's answers at real tokens, in the layout of `answers`."""
    mask_BL = torch.ones_like(inputs.ids_BL, dtype=torch.bool)
    mask_BL = (mask_BL if inputs.mask_BL is None else inputs.mask_BL).numpy()
    fed = {"input_ids": inputs.ids_BL.numpy(), "attention_mask": mask_BL.astype(np.int64)}
    if inputs.types_BL is not None:
        fed["token_type_ids"] = inputs.types_BL.numpy()
    found = session.run(None, fed)
    if found[0].ndim == 2 and len(found) == 1:
        return found[0]
    return np.stack(found, -1)[mask_BL] if len(found) == 2 else found[0][mask_BL]


def as_written(proto):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(proto.SerializeToString(), options)


@pytest.mark.parametrize("family", PAD)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("levels", [LEVELS, LEVELS_WITHOUT_VNNI])
def test_the_rounded_model_answers_as_its_graph(family, kind, dynamic, levels, monkeypatch):
    monkeypatch.setattr("unmask.export.int8.damage.PLACES", 10_000)
    model, maker = model_of(family, kind), Maker(PAD[family], typed=family == "bert")
    seen = observe(model, texts(20, seed=0), maker, least=20)
    plans = []
    for worth in (0, np.inf):  # no layer migrates, all of them do
        monkeypatch.setattr("unmask.export.int8.migration.WORTH", worth)
        plans.append(plan(model, seen, levels=levels, dynamic=dynamic))
    quantised = {site: plans[number // 2 % 2][site] for number, site in enumerate(seen)}
    session = as_written(graph_of(model, Form(), quantised))

    exact, found, expected = [], [], []
    for seed in range(1, 7):
        inputs = maker(texts(seed, seed), np.arange(seed))
        with torch.no_grad():
            exact.append(answers(model, inputs).numpy())
            with rounded(model, quantised):
                found.append(answers(model, inputs).numpy())
        expected.append(told(session, inputs))

    # Where both sides are a last bit apart, an input that lies between two steps may take either:
    # so of six batches two may differ, though by no more than 8 bits differ from float.
    apart = [np.abs(one - other).max() for one, other in zip(found, expected, strict=True)]
    rounding = max(np.abs(one - other).max() for one, other in zip(found, exact, strict=True))
    assert rounding > 1e-2
    assert sum(one < 1e-5 for one in apart) >= 4
    assert max(apart) < rounding
