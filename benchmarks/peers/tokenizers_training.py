"""tokenizers' own BPE trainer on the train split of a corpus folder; a process of its own.

python tokenizers_training.py CORPUS VOCABULARY OUT
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from unmask.corpus import store


def main(corpus: str, vocabulary: str, out: str) -> None:
    """Train with the settings of `unmask tokenizer` and save."""
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=int(vocabulary) - 1,
        min_frequency=2,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(lines(Path(corpus)), trainer)
    backend.save(out)


def lines(corpus: Path) -> Iterator[str]:
    """The lines of the train split, stripped."""
    for document in store.documents(corpus, "train"):
        yield from (line.strip() for line in document.text.split("\n"))


if __name__ == "__main__":
    main(*sys.argv[1:])
