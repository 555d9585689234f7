"""Training the rows that are used gives the model that training all of them gives."""

import numpy as np
import pytest
import torch

from unmask.finetune import build
from unmask.finetune.vocabulary import WORD, UsedRows
from unmask.train import parallel

from .conftest import both_families, steps, task, trainer


class AllRows(UsedRows):
    """Every row is trained, whether it is used or not."""

    __slots__ = ()

    @classmethod
    def of(cls, what, model):
        used = UsedRows.of(what, model)
        return cls(np.arange(model.config.vocabulary), used.config, used.unused_VD)


def whole(one):
    """The model as it would be published."""
    state = parallel.whole(one.model)
    return one.rows.widened(state, float(one.decayed), one.task.head).state_dict()


@both_families
@pytest.mark.parametrize(
    "flags", [{}, {"layer_decay": 0.5}, {"frozen_layers": 1}, {"weight_decay": 0.0}], ids=str
)
def test_rows_that_nobody_looks_up_only_decay(family, flags, pretrained, monkeypatch):
    narrow = steps(trainer(pretrained[family], **flags), 6)
    monkeypatch.setattr(build, "UsedRows", AllRows)
    wide = steps(trainer(pretrained[family], **flags), 6)

    assert len(narrow.rows.ids_K) < len(wide.rows.ids_K) == narrow.rows.config.vocabulary
    ours, theirs = whole(narrow), whole(wide)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-6, atol=1e-9, msg=name)
    used = torch.from_numpy(narrow.rows.ids_K)
    assert ours[WORD][used].equal(theirs[WORD][used])
    before = narrow.rows.unused_VD
    unused = torch.ones(len(before), dtype=torch.bool)
    unused[used] = False
    stays = "frozen_layers" in flags or flags.get("weight_decay") == 0.0
    assert ours[WORD][unused].equal(before[unused]) == stays


def test_a_step_that_is_left_out_decays_nothing(pretrained):
    one = steps(trainer(pretrained.roberta), 2)
    before = float(one.decayed)
    forward = one.update.objective.forward
    one.update.objective.forward = lambda batch: type(forward(batch))(
        forward(batch).loss * float("nan")
    )

    one.step()

    assert float(one.decayed) == before < 1.0


@both_families
def test_answers_are_those_of_the_whole_model(family, pretrained):
    """dev is answered by the narrow model, with numbers of its own."""
    what = task()
    one = steps(trainer(pretrained[family], what), 3)
    model = one.rows.widened(parallel.whole(one.model), float(one.decayed), what.head).eval()
    dev = what.dev.examples.sequences
    rows = zip(rows_of(dev, dev.ids_T), rows_of(dev, dev.types_T), strict=True)

    with torch.inference_mode():
        answers = [
            model(ids_BL, None, types_BL if family == "bert" else None) for ids_BL, types_BL in rows
        ]
    expected = torch.cat(answers).numpy()

    np.testing.assert_allclose(one.dev_logits(), expected, rtol=1e-4, atol=1e-5)


def rows_of(sequences, values_T):
    parts = np.split(values_T, sequences.starts_N1[1:-1])
    return [torch.from_numpy(part).long()[None] for part in parts]
