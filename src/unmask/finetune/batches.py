"""The batches of an epoch: random, yet of similar length.

Legend: N examples, B batch.
"""

import math

import numpy as np

from unmask.tokens.format import Ints
from unmask.tokens.order import Order

WINDOW = 16
"""Batches whose examples are sorted by length together: less padding, little less chance."""


def epoch_batches(lengths_N: Ints, batch: int, seed: int, epoch: int) -> list[Ints]:
    """Share all examples out into batches; a pure function of its arguments.

    The examples are put in the epoch's keyed order, sorted by length within windows of a few
    batches, and the batches are visited in a keyed order again.
    """
    count = len(lengths_N)
    order_N = Order(seed, epoch, count)(np.arange(count))
    batches: list[Ints] = []
    for first in range(0, count, WINDOW * batch):
        window = order_N[first : first + WINDOW * batch]
        window = window[np.argsort(lengths_N[window], kind="stable")]
        batches += np.split(window, range(batch, len(window), batch))
    number = math.ceil(count / batch)
    assert len(batches) == number
    visit = Order(seed, -1 - epoch, number)(np.arange(number))
    return [batches[index] for index in visit]
