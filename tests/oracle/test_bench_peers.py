"""Every peer runs the model that unmask runs: the logits of all of them are the same."""

import numpy as np
import pytest

from unmask.bench.peers.batching import batches
from unmask.bench.peers.opening import PEERS, PeerOpening, Preparing, needs_preparing
from unmask.finetune.sequences import Sequences
from unmask.infer.torch_backend import TorchBackend
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, MultipleChoice, SequenceClassifier, SpanExtractor, build
from unmask.model.init import initialise
from unmask.tokenizer.batch import Batch

pytest.importorskip("openvino")
pytest.importorskip("onnxruntime")

LENGTHS = [5, 17, 9]
TOLERANCE = {"fp32": 2e-4, "bf16": 0.1, "int8": 0.5}
"""Largest difference beside logits of about 1; bf16 has 8 bits, dynamic int8 about 6."""
QUICK = [name for name in PEERS if not name.startswith("compiled")]


def saved(folder, kind, family="roberta"):
    roberta = family == "roberta"
    config = ModelConfig(
        family=family,
        vocabulary=120,
        layers=2,
        width=32,
        heads=4,
        feed_forward=64,
        max_length=64,
        types=1 if roberta else 2,
        norm_eps=1e-5,
        pad_id=1 if roberta else 0,
    )
    model = build(kind, config, ("no", "yes", "so") if kind is SequenceClassifier else ())
    initialise(model, 0)
    for parameter in model.parameters():
        parameter.data *= 8 * (parameter.dim() > 1) + (parameter.dim() == 1)
    weights.save(model.eval(), folder)
    return model, config


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    return folder, *saved(folder, SequenceClassifier), tmp_path_factory.mktemp("prepared")


def sequences():
    dice = np.random.default_rng(0)
    ids = [dice.integers(5, 120, length).tolist() for length in LENGTHS]
    return Sequences.of(ids, [[0] * length for length in LENGTHS])


def peer(name, folder, prepared):
    found = PeerOpening(
        name=name,
        model=folder,
        prepared=prepared / name.partition("-")[0],
        threads=1,
        order="padded",
        ragged=True,
    )
    if needs_preparing(name):
        Preparing(found).open()
    return found


def logits(answer):
    """The first output, whatever the runtime wraps it in."""
    found = getattr(answer, "logits", None)
    if found is None:
        found = answer[0]
    return np.asarray(found.float() if hasattr(found, "float") else found)


def ours(model, config):
    (arrays,) = batches(sequences(), "padded", config.pad_id)
    return TorchBackend(model).logits(Batch(arrays[0], arrays[1] == 1, arrays[2]))


@pytest.mark.parametrize("name", QUICK)
def test_every_peer_gives_the_logits_of_the_model(classifier, name):
    folder, model, config, prepared = classifier
    engine = _opened(peer(name, folder, prepared))

    found = logits(engine.answer(sequences()))

    expected = ours(model, config)
    assert np.abs(expected).max() > 0.3
    assert found == pytest.approx(expected, abs=TOLERANCE[engine.number_format])
    assert engine.number_format == name.partition("-")[2]


@pytest.mark.parametrize("kind", [MaskedLM, SpanExtractor, MultipleChoice])
@pytest.mark.parametrize("name", ["transformers-fp32", "onnxruntime-fp32", "openvino-fp32"])
def test_peers_run_every_head_of_both_families(kind, name, tmp_path):
    model, config = saved(tmp_path / "model", kind, family="bert")
    engine = peer(name, tmp_path / "model", tmp_path / "prepared").open()

    answer = engine.answer(sequences())

    (arrays,) = batches(sequences(), "padded", config.pad_id)
    real = arrays[1] == 1
    expected = ours(model, config)
    if kind is SpanExtractor:
        starts = getattr(answer, "start_logits", None)
        found = np.asarray(answer[0] if starts is None else starts)
        expected = expected[..., 0]
    else:
        found = logits(answer)
    if kind is MultipleChoice:
        assert found.reshape(-1, 1) == pytest.approx(expected, abs=2e-4)
    else:
        assert found[real] == pytest.approx(expected[real], abs=2e-4)


def _opened(found):
    from unmask.core.errors import UserError

    try:
        return found.open()
    except UserError as error:
        if "bf16 instructions" in error.what:
            pytest.skip(error.what)
        raise


def test_a_prepared_peer_is_not_prepared_again(classifier):
    folder, _, _, prepared = classifier
    made = peer("onnxruntime-fp32", folder, prepared)
    before = {path: path.stat().st_mtime_ns for path in made.prepared.iterdir()}

    Preparing(made).open()

    assert before == {path: path.stat().st_mtime_ns for path in made.prepared.iterdir()}
