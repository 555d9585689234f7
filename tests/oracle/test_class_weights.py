"""Balanced class weights and stratified folds beside scikit-learn's."""

from collections import Counter

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.class_weight import compute_class_weight

from unmask.finetune.table import Row
from unmask.finetune.table.folds import class_folds
from unmask.finetune.table.labels import balanced_weights, label_names


def random_labels(seed):
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 6))
    shares = rng.dirichlet(np.ones(classes))
    drawn = rng.choice(classes, size=int(rng.integers(10, 300)), p=shares)
    return [f"label {number}" for number in [*range(classes), *drawn.tolist()] for _ in range(5)]


@pytest.mark.parametrize("seed", range(30))
def test_balanced_weights_are_those_of_scikit_learn(seed):
    labels = random_labels(seed)
    names = label_names(labels)

    ours_C = balanced_weights([Row("x", None, label, "") for label in labels], names)

    theirs_C = compute_class_weight("balanced", classes=np.array(names), y=np.array(labels))
    np.testing.assert_allclose(ours_C, theirs_C, rtol=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_folds_hold_as_many_rows_of_each_class_as_those_of_scikit_learn(seed):
    labels = np.array(random_labels(seed))
    fold_N = class_folds(labels.tolist(), 5, seed)
    splitter = StratifiedKFold(5, shuffle=True, random_state=seed)

    def sizes(rows_of_folds):
        counts = [Counter(labels[rows].tolist()) for rows in rows_of_folds]
        return {name: sorted(count[name] for count in counts) for name in set(labels.tolist())}

    ours = sizes(np.flatnonzero(fold_N == fold) for fold in range(5))
    theirs = sizes(dev for _, dev in splitter.split(labels, labels))
    assert ours == theirs
