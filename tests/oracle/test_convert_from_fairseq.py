"""What `unmask convert` makes of checkpoints of fairseq, old and new, against transformers."""

import pytest
import torch

from unmask.convert.config import ConvertConfig
from unmask.convert.run import run

from .fairseq_models import (
    KINDS,
    VERSIONS,
    fairseq_state,
    logits,
    sequences,
    theirs,
    transformers,
    write,
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_becomes_a_folder_that_transformers_reads(kind, version, tmp_path):
    model = theirs(kind)
    settings = {"criterion": "sentence_ranking"} if kind == "choice" else {}
    source = write(tmp_path / "fairseq", VERSIONS[version](fairseq_state(model)), **settings)

    run(ConvertConfig(model=source, out=tmp_path / "out"))

    found = type(model).from_pretrained(tmp_path / "out").eval()
    dice = torch.Generator().manual_seed(1)
    for _ in range(4):
        ids = sequences(dice)
        expected = logits(model, ids, kind)
        torch.testing.assert_close(logits(found, ids, kind), expected, rtol=0, atol=1e-6)
    assert found.config.num_labels == {"three": 3, "regression": 1}.get(kind, 2)
    assert found.config.max_position_embeddings == 18
    if kind == "three":
        assert found.config.id2label == {0: "contradiction", 1: "neutral", 2: "entailment"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_that_is_not_zipped_gives_the_same_bytes(version, tmp_path):
    state = VERSIONS[version](fairseq_state(theirs("two")))

    for name, zipped in (("new", True), ("old", False)):
        source = write(tmp_path / f"fairseq-{name}", state, zipped=zipped)
        run(ConvertConfig(model=source, out=tmp_path / name))

    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("new", "old"))
    assert one == other


def test_each_head_of_a_file_with_several(tmp_path):
    two, three = theirs("two"), theirs("three")
    three.roberta.load_state_dict(two.roberta.state_dict())
    both = fairseq_state(two, "rte") | fairseq_state(three, "mnli")
    source = write(tmp_path / "fairseq", both)
    ids = sequences(torch.Generator().manual_seed(2))

    for head, model in (("rte", two), ("mnli", three)):
        run(ConvertConfig(model=source, out=tmp_path / head, head=head))
        found = type(model).from_pretrained(tmp_path / head).eval()
        torch.testing.assert_close(found(ids, ids != 1).logits, model(ids, ids != 1).logits)


def test_half_precision_becomes_float32(tmp_path):
    model = theirs("lm").half()
    source = write(tmp_path / "fairseq", fairseq_state(model))

    run(ConvertConfig(model=source, out=tmp_path / "out"))

    found = transformers.RobertaForMaskedLM.from_pretrained(tmp_path / "out")
    for (name, expected), (_, tensor) in zip(
        model.named_parameters(), found.named_parameters(), strict=True
    ):
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, expected.float()), name
