"""What a language model can be asked beyond its masks: `unmask predict --mode`."""

import dataclasses
from collections.abc import Iterator, Sequence

from unmask.core.errors import UserError
from unmask.infer import texts
from unmask.infer.config import PredictConfig
from unmask.infer.features import files
from unmask.infer.features.states import Extractor, Floats, text_features, token_features
from unmask.infer.features.words import word_features
from unmask.infer.language.choose import GAP, Question, choose
from unmask.infer.language.fill import CANDIDATES, fill
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.perplexity import corpus_perplexity, pseudo_likelihoods
from unmask.infer.language.pronouns import Pronoun, disambiguate
from unmask.infer.language.together import fill_together
from unmask.infer.language.winograd import WinoGrande, Wsc, read_winogrande, read_wsc
from unmask.infer.pipelines import Answer


def answers(config: PredictConfig) -> Iterator[Answer]:
    """Answer in the mode that is asked for."""
    match config.mode:
        case "fill-together":
            return _filled_together(config)
        case "perplexity":
            return _likely(config)
        case "pronouns":
            return _resolved(config)
        case "choose":
            return _chosen(config)
        case "features":
            return _features(config)
        case _:
            return _pieces(config)


def filled_with_targets(config: PredictConfig) -> Iterator[Answer]:
    """Fill each mask with one of some words."""
    model = LanguageModel.open(config.model)
    found = fill(model, _texts(config), top_k=_top_k(config), targets=config.targets)
    return (dataclasses.asdict(one) for one in found)


def _filled_together(config: PredictConfig) -> Iterator[Answer]:
    given = _texts(config)
    found = fill_together(
        LanguageModel.open(config.model),
        given,
        top_k=_top_k(config),
        targets=config.targets or None,
    )
    for text, fillings in zip(given, found, strict=True):
        yield {"text": text, "fillings": [dataclasses.asdict(one) for one in fillings]}


def _likely(config: PredictConfig) -> Iterator[Answer]:
    found = pseudo_likelihoods(LanguageModel.open(config.model), _texts(config))
    for one in found:
        scores = {"log_likelihood": one.total, "perplexity": one.perplexity}
        yield {"text": one.text, "tokens": len(one.tokens)} | scores
    yield {"texts": len(found), "corpus_perplexity": corpus_perplexity(found)}


def _resolved(config: PredictConfig) -> Iterator[Answer]:
    """What pronouns stand for; with labels, as of a file of WSC, how many are right."""
    schemas = (
        read_wsc(config.file)
        if config.file is not None and _of_schemas(config)
        else [Wsc(Pronoun.parse(text, config.option), None) for text in _texts(config)]
    )
    found = disambiguate(LanguageModel.open(config.model), [one.pronoun for one in schemas])
    for schema, one in zip(schemas, found, strict=True):
        scores = dict(zip(one.candidates, one.scores, strict=True))
        told = {} if one.is_query is None else {"is_query": one.is_query}
        yield {"text": schema.pronoun.text, "best": one.best, **told, "scores": scores}
    right = [
        one.is_query == schema.label
        for schema, one in zip(schemas, found, strict=True)
        if schema.label is not None
    ]
    if right:
        yield {"schemas": len(right), "accuracy": sum(right) / len(right)}


def _chosen(config: PredictConfig) -> Iterator[Answer]:
    """Which option fits; with answers, as of a file of WinoGrande, how many are right."""
    if len(config.option) == 1:
        raise UserError(
            f"--option {config.option[0]!r}: one option leaves no choice",
            "give --option A B, two or more",
        )
    schemas = (
        read_winogrande(config.file)
        if config.file is not None and _of_schemas(config)
        else [WinoGrande(Question.parse(text, config.option), None) for text in _texts(config)]
    )
    found = choose(LanguageModel.open(config.model), [one.question for one in schemas])
    for schema, one in zip(schemas, found, strict=True):
        text = f"{schema.question.before}{GAP}{schema.question.after}"
        scores = dict(zip(one.options, one.scores, strict=True))
        yield {"text": text, "best": one.best, "scores": scores}
    right = [
        one.number == schema.answer
        for schema, one in zip(schemas, found, strict=True)
        if schema.answer is not None
    ]
    if right:
        yield {"schemas": len(right), "accuracy": sum(right) / len(right)}


def _features(config: PredictConfig) -> Iterator[Answer]:
    if config.out is not None:
        files.check(config.out, ragged=False)
    given = _texts(config)
    vectors_NKD = text_features(
        Extractor.open(config.model), given, layers=config.layers, pooling=config.pooling
    )
    if config.out is not None:
        files.write_texts(config.out, given, vectors_NKD)
        return
    for text, vectors_KD in zip(given, vectors_NKD, strict=True):
        one = vectors_KD[0] if len(vectors_KD) == 1 else vectors_KD
        yield {"text": text, "vector": one.tolist()}


def _pieces(config: PredictConfig) -> Iterator[Answer]:
    """Vectors of the tokens or the words of each text."""
    if config.out is not None:
        files.check(config.out, ragged=True)
    given = _texts(config)
    pieces, vectors = _read_off(config, given)
    if config.out is not None:
        files.write_pieces(config.out, given, pieces, vectors)
        return
    for text, names, vectors_KTD in zip(given, pieces, vectors, strict=True):
        by_piece = vectors_KTD.swapaxes(0, 1)
        one = by_piece.squeeze(1) if by_piece.shape[1] == 1 else by_piece
        yield {"text": text, "pieces": list(names), "vectors": one.tolist()}


def _read_off(
    config: PredictConfig, given: Sequence[str]
) -> tuple[list[tuple[str, ...]], list[Floats]]:
    extractor = Extractor.open(config.model)
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
            f"--option: {config.file} has options of its own",
            "leave it out, or name the column of the texts with --text-column",
        )
    return True


def _top_k(config: PredictConfig) -> int:
    return CANDIDATES if config.top_k is None else config.top_k


def _texts(config: PredictConfig) -> list[str]:
    return [item.text for item in texts.read(config)]
