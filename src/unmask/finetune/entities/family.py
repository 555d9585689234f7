"""Entities as a task: CoNLL-2003, People's Daily, and all data with a word a line.

Legend: M words, T tokens, C tags.
"""

import dataclasses
from pathlib import Path

from unmask.core import files as written
from unmask.finetune import held_out
from unmask.finetune.config import FinetuneConfig, JudgedConfig
from unmask.finetune.entities import files as entity_files
from unmask.finetune.entities import spans
from unmask.finetune.entities.read import read
from unmask.finetune.entities.scheme import OUTSIDE
from unmask.finetune.entities.sentence import Sentence
from unmask.finetune.entities.tags import tag_names, tag_numbers
from unmask.finetune.entities.windows import Windows, cut
from unmask.finetune.entities.words import Words, joiner
from unmask.finetune.examples import Examples
from unmask.finetune.forward import Logits
from unmask.finetune.known import Known
from unmask.finetune.losses import TokenClasses
from unmask.finetune.metrics.entities import EntityScores, entity_scores
from unmask.finetune.task import Facts, Head, Scores, Split, Task
from unmask.model.heads import TokenClassifier
from unmask.tokenizer.tokenizer import Tokenizer

METRICS = ("f1", "precision", "recall", "strict_f1", "accuracy")
PREDICTIONS = "predictions.jsonl"


@dataclasses.dataclass(frozen=True, slots=True)
class EntityJudge:
    """The tags of every sentence."""

    sentences: list[Sentence]
    windows: Windows
    labels: tuple[str, ...]

    def scores(self, logits: Logits) -> Scores:
        """Entity precision, recall and F1 as conlleval and seqeval have them; strict; by word."""
        said = self._tagged(logits).sentences
        found, strict = self._found(said), entity_scores(self._gold, said, "IOB2")
        return {
            "f1": found.f1,
            "precision": found.precision,
            "recall": found.recall,
            "strict_f1": strict.f1,
            "accuracy": found.accuracy,
        } | {f"f1_{name}": score.f1 for name, score in sorted(found.per_type.items())}

    def details(self, logits: Logits) -> Facts:
        """Each type of entity."""
        found = self._found(self._tagged(logits).sentences)
        per_type = sorted(found.per_type.items())
        return {
            "labels": [name for name, _ in per_type],
            "per_class": {name: dataclasses.asdict(score) for name, score in per_type},
        }

    def settled(self, logits: Logits) -> Facts:
        """Nothing: the likeliest tag is the answer."""
        del logits
        return {}

    def stuck(self, logits: Logits) -> bool:
        """Whether no word is of an entity."""
        tagged = self._tagged(logits)
        return bool((tagged.tag_M == self.labels.index(OUTSIDE)).all())

    def write(self, logits: Logits, folder: Path) -> None:
        """Write the words of each sentence with their tags, a JSON line each."""
        said = self._tagged(logits).sentences
        rows = (
            {"tokens": list(one.words), "tags": tags}
            for one, tags in zip(self.sentences, said, strict=True)
        )
        written.write_json_lines(folder / PREDICTIONS, rows)

    @property
    def _gold(self) -> list[list[str]]:
        return [list(sentence.tags) for sentence in self.sentences]

    def _found(self, said: list[list[str]]) -> EntityScores:
        return entity_scores(self._gold, said)

    def _tagged(self, logits: Logits) -> spans.Tagged:
        return spans.tag(self.windows, logits, self.labels)


def files(config: FinetuneConfig) -> list[Path]:
    """The files that are read."""
    if config.data.is_file():
        return [config.data]
    return [entity_files.find(config.data, split) for split in ("train", "dev")]


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train and dev."""
    train, dev = _train_and_dev(config)
    labels, between = tag_names(train), joiner(train)
    windows = _cut(train, tokenizer, between, max_length)
    targets_T = windows.targets(tag_numbers(train, labels))
    return Task(
        head=Head(TokenClassifier, labels),
        loss=TokenClasses(),
        metrics=METRICS,
        metric="f1",
        train=Examples(windows.sequences, targets_T, by_token=True),
        dev=_split(dev, labels, tokenizer, between, max_length),
        facts={"joiner": between},
    )


def judged(
    config: JudgedConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read what a model is scored on."""
    known.require(TokenClassifier, "ner")
    data = config.data
    if data.is_file():
        sentences = read(data, config.entities)
        sentences = held_out.part(sentences, _groups(sentences), data, config.split or "all")
    else:
        sentences = read(entity_files.find(data, config.split or "dev"), config.entities)
    between = known.facts.get("joiner", joiner(sentences))
    return [_split(sentences, known.labels, tokenizer, between, max_length)]


def _train_and_dev(config: FinetuneConfig) -> tuple[list[Sentence], list[Sentence]]:
    if config.data.is_file():
        sentences = read(config.data, config.entities)
        return held_out.split(sentences, _groups(sentences), config.data)
    train, dev = (read(path, config.entities) for path in files(config))
    return train, dev


def _groups(sentences: list[Sentence]) -> list[str]:
    """Equal sentences stay together."""
    return [" ".join(sentence.words) for sentence in sentences]


def _split(
    sentences: list[Sentence],
    labels: tuple[str, ...],
    tokenizer: Tokenizer,
    between: str,
    max_length: int,
) -> Split:
    windows = _cut(sentences, tokenizer, between, max_length)
    targets_T = windows.targets(tag_numbers(sentences, labels))
    examples = Examples(windows.sequences, targets_T, by_token=True)
    return Split("", examples, EntityJudge(sentences, windows, labels))


def _cut(sentences: list[Sentence], tokenizer: Tokenizer, between: str, max_length: int) -> Windows:
    words = Words.joined([sentence.words for sentence in sentences], between)
    return cut(words, tokenizer, max_length)
