"""The names of tasks, by the family that knows how to read and score them."""

from typing import Literal, TypeAlias, get_args

GlueName: TypeAlias = Literal["cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli"]
SentenceName: TypeAlias = Literal["table", GlueName]
QuestionName: TypeAlias = Literal["squad", "squad2", "cmrc"]
ChoiceName: TypeAlias = Literal[
    "race", "race-middle", "race-high", "dream", "commonsenseqa", "choices"
]
EntityName: TypeAlias = Literal["ner"]
TaskName: TypeAlias = Literal[SentenceName, QuestionName, ChoiceName, EntityName]
LabelOrder: TypeAlias = Literal["glue", "fairseq"]
"""The order of outputs without names: the tasks' own, as run_glue of transformers trains, or that
of the labels' frequency in the training data, as fairseq's dictionaries have it."""

GLUE: tuple[str, ...] = get_args(GlueName)
SENTENCES: tuple[str, ...] = get_args(SentenceName)
QUESTIONS: tuple[str, ...] = get_args(QuestionName)
CHOICES: tuple[str, ...] = get_args(ChoiceName)
ENTITIES: tuple[str, ...] = get_args(EntityName)
