import random

import numpy as np
import pytest

from unmask.finetune.fairseq_data.index import Items
from unmask.finetune.fairseq_data.sequences import assemble
from unmask.tokenizer import build
from unmask.tokenizer.family import BERT
from unmask.tokenizer.train import train

ROBERTA_TOKENIZER = train(["some text"] * 3, 265)
BERT_TOKENIZER = build.word_piece(
    {token: id_ for id_, token in enumerate([*BERT.specials, "a"])}, lowercase=True
)


def items(rows):
    sizes_N = np.array([len(row) for row in rows], np.int64)
    return Items(np.concatenate([np.array(row, np.int64) for row in rows]), sizes_N)


def rows_of(sequences):
    bounds = list(zip(sequences.starts_N1[:-1], sequences.starts_N1[1:], strict=True))
    ids = [sequences.ids_T[a:b].tolist() for a, b in bounds]
    return ids, [sequences.types_T[a:b].tolist() for a, b in bounds]


def random_rows(dice, count, eos_id):
    return [
        [*(dice.randint(5, 250) for _ in range(dice.randint(0, 9))), eos_id] for _ in range(count)
    ]


@pytest.mark.parametrize("tokenizer", [ROBERTA_TOKENIZER, BERT_TOKENIZER], ids=["roberta", "bert"])
def test_texts_are_put_together_and_cut_as_the_description_says(tokenizer, capsys):
    dice = random.Random(0)
    bos, eos = tokenizer.bos_id, tokenizer.eos_id
    for _ in range(200):
        count, max_length = dice.randint(1, 8), dice.randint(2, 24)
        inputs = [random_rows(dice, count, eos) for _ in range(dice.randint(1, 2))]

        ids, types = rows_of(assemble([*map(items, inputs)], tokenizer, max_length=max_length))

        cut = 0
        for number in range(count):
            expected = [bos, *inputs[0][number]]
            kinds = [0] * len(expected)
            if len(inputs) == 2:
                roberta = tokenizer.family == "roberta"
                second = [eos, *inputs[1][number]] if roberta else inputs[1][number]
                kinds += [0 if roberta else 1] * len(second)
                expected += second
            if len(expected) > max_length:
                expected = [*expected[: max_length - 1], eos]
                cut += 1
            assert ids[number] == expected
            assert types[number] == kinds[: len(expected)]
        said = f"{cut} of {count} sequences: cut to {max_length} tokens\n" if cut else ""
        assert capsys.readouterr().err == said


def test_arrays_have_the_types_of_sequences():
    sequences = assemble([items([[7, 2]])], ROBERTA_TOKENIZER, max_length=9)

    assert (sequences.ids_T.dtype, sequences.types_T.dtype) == (np.int32, np.int8)
    assert sequences.starts_N1.tolist() == [0, 3]
