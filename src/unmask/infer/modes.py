"""What a language model can be asked beyond its masks: `unmask predict --mode`."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from unmask.core.errors import UserError
from unmask.finetune.table.records import Opening
from unmask.infer import texts
from unmask.infer.config import PredictConfig
from unmask.infer.features import files
from unmask.infer.features.states import Extractor, Floats, text_features, token_features
from unmask.infer.features.words import word_features
from unmask.infer.language.choose import GAP, Question, choose
from unmask.infer.language.fill import CANDIDATES, fill
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.perplexity import pseudo_likelihoods
from unmask.infer.language.pronouns import Pronoun, disambiguate
from unmask.infer.language.together import fill_together
from unmask.infer.language.winograd import WinoGrande, Wsc, read_winogrande, read_wsc
from unmask.infer.pipelines import Answer
from unmask.infer.reading import opened
from unmask.infer.streaming import OF_VECTORS, Job, Tally
from unmask.infer.tallies import Accuracy, Perplexities


def job(config: PredictConfig, opening: Opening = opened) -> Job:
    """What is to be done in the mode that is asked for; UserError for what it cannot do."""
    match config.mode:
        case "fill-together":
            return _filled_together(config, opening)
        case "perplexity":
            return _likely(config, opening)
        case "pronouns":
            return _resolved(config, opening)
        case "choose":
            return _chosen(config, opening)
        case "features":
            return _features(config, opening)
        case _:
            return _pieces(config, opening)


def filled_with_targets(config: PredictConfig, opening: Opening = opened) -> Job:
    """Fill each mask with one of some words."""

    def answers(model: LanguageModel, given: Sequence[str]) -> Iterator[Answer]:
        found = fill(model, given, top_k=_top_k(config), targets=config.targets)
        return (dataclasses.asdict(one) for one in found)

    return _of_language_model(config, _texts(config, opening), answers)


def _filled_together(config: PredictConfig, opening: Opening) -> Job:
    def answers(model: LanguageModel, given: Sequence[str]) -> Iterator[Answer]:
        found = fill_together(model, given, top_k=_top_k(config), targets=config.targets or None)
        for text, fillings in zip(given, found, strict=True):
            yield {"text": text, "fillings": [dataclasses.asdict(one) for one in fillings]}

    return _of_language_model(config, _texts(config, opening), answers)


def _likely(config: PredictConfig, opening: Opening) -> Job:
    tally = Perplexities()

    def answers(model: LanguageModel, given: Sequence[str]) -> Iterator[Answer]:
        for one in pseudo_likelihoods(model, given):
            tally.add(one.total, len(one.tokens))
            scores = {"log_likelihood": one.total, "perplexity": one.perplexity}
            yield {"text": one.text, "tokens": len(one.tokens)} | scores

    return _of_language_model(config, _texts(config, opening), answers, tally)


def _resolved(config: PredictConfig, opening: Opening) -> Job:
    """What pronouns stand for; with labels, as of a file of WSC, how many are right."""
    schemas = (
        iter(read_wsc(config.input))
        if config.input is not None and _of_schemas(config)
        else (Wsc(Pronoun.parse(text, config.option), None) for text in _texts(config, opening))
    )
    tally = Accuracy()

    def answers(model: LanguageModel, given: Sequence[Wsc]) -> Iterator[Answer]:
        found = disambiguate(model, [one.pronoun for one in given])
        for schema, one in zip(given, found, strict=True):
            if schema.label is not None:
                tally.add(right=one.is_query == schema.label)
            scores = dict(zip(one.candidates, one.scores, strict=True))
            told = {} if one.is_query is None else {"is_query": one.is_query}
            yield {"text": schema.pronoun.text, "best": one.best, **told, "scores": scores}

    return _of_language_model(config, schemas, answers, tally)


def _chosen(config: PredictConfig, opening: Opening) -> Job:
    """Which option fits; with answers, as of a file of WinoGrande, how many are right."""
    if len(config.option) == 1:
        raise UserError(
            f"--option {config.option[0]!r}: one option leaves no choice",
            "give --option A B, two or more",
        )
    schemas = (
        iter(read_winogrande(config.input))
        if config.input is not None and _of_schemas(config)
        else (
            WinoGrande(Question.parse(text, config.option), None)
            for text in _texts(config, opening)
        )
    )
    tally = Accuracy()

    def answers(model: LanguageModel, given: Sequence[WinoGrande]) -> Iterator[Answer]:
        found = choose(model, [one.question for one in given])
        for schema, one in zip(given, found, strict=True):
            if schema.answer is not None:
                tally.add(right=one.number == schema.answer)
            text = f"{schema.question.before}{GAP}{schema.question.after}"
            scores = dict(zip(one.options, one.scores, strict=True))
            yield {"text": text, "best": one.best, "scores": scores}

    return _of_language_model(config, schemas, answers, tally)


def _of_language_model(
    config: PredictConfig,
    items: Iterator[Any],
    answers: Callable[[LanguageModel, Sequence[Any]], Iterator[Answer]],
    tally: Tally | None = None,
) -> Job:
    def opened() -> Callable[[list[Any]], Iterator[Answer]]:
        return partial(answers, LanguageModel.open(config.model))

    return Job(items, opened, tally)


def _features(config: PredictConfig, opening: Opening) -> Job:
    if config.output is not None:
        files.check(config.output, ragged=False)

    def answers(extractor: Extractor, given: Sequence[str]) -> Iterator[Answer]:
        vectors_NKD = text_features(extractor, given, layers=config.layers, pooling=config.pooling)
        for text, vectors_KD in zip(given, vectors_NKD, strict=True):
            yield {"text": text, "vector": vectors_KD[0] if len(vectors_KD) == 1 else vectors_KD}

    return Job(
        _texts(config, opening),
        lambda: partial(answers, Extractor.open(config.model)),
    )


def _pieces(config: PredictConfig, opening: Opening) -> Job:
    """Vectors of the tokens or the words of each text."""
    if config.output is not None:
        files.check(config.output, ragged=True)

    def answers(extractor: Extractor, given: Sequence[str]) -> Iterator[Answer]:
        pieces, vectors = _read_off(config, extractor, given)
        for text, names, vectors_KTD in zip(given, pieces, vectors, strict=True):
            by_piece = vectors_KTD.swapaxes(0, 1)
            one = by_piece.squeeze(1) if by_piece.shape[1] == 1 else by_piece
            yield {"text": text, "pieces": list(names), "vectors": one}

    return Job(
        _texts(config, opening),
        lambda: partial(answers, Extractor.open(config.model)),
        size=OF_VECTORS,
    )


def _read_off(
    config: PredictConfig, extractor: Extractor, given: Sequence[str]
) -> tuple[list[tuple[str, ...]], list[Floats]]:
    if config.mode == "token-features":
        tokens = token_features(extractor, given, layers=config.layers)
        return [one.tokens for one in tokens], [one.vectors_KTD for one in tokens]
    words = word_features(extractor, given, layers=config.layers)
    return [one.words for one in words], [one.vectors_KWD for one in words]


def _of_schemas(config: PredictConfig) -> bool:
    """Tell whether the file has its own fields, as WSC's and WinoGrande's .jsonl have."""
    if config.file_kind != ".jsonl" or config.text_column is not None:
        return False
    if config.option:
        raise UserError(
            f"--option: {config.input} has options of its own",
            "leave it out, or name the column of the texts with --text-column",
        )
    return True


def _top_k(config: PredictConfig) -> int:
    return CANDIDATES if config.top_k is None else config.top_k


def _texts(config: PredictConfig, opening: Opening) -> Iterator[str]:
    return (item.text for item in texts.read(config, opening))
