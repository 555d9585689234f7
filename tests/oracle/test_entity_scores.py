"""Entity scores against seqeval, against conlleval's rules and on CoNLL-2003's official counts."""

import gzip
import random
from collections import Counter

import pytest

from unmask.finetune.metrics.entities import Entity, entities, entity_scores

CASES = 2000


def conlleval(tags):
    """Chunks by the two tests of conlleval.pl: does one end before, does one start at this tag."""
    chunks, start = [], None
    before, type_before = "O", ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, type_ = tag.partition("-")
        ends = (
            before in ("E", "S")
            or (before in ("B", "I") and prefix in ("B", "S", "O"))
            or (before != "O" and type_ != type_before)
        )
        starts = (
            prefix in ("B", "S")
            or (before in ("O", "E", "S") and prefix in ("E", "I"))
            or (prefix != "O" and type_ != type_before)
        )
        if ends and start is not None:
            chunks.append(Entity(type_before, start, place))
            start = None
        if starts:
            start = place
        before, type_before = prefix, type_
    return chunks


def test_the_lenient_reading_is_that_of_conlleval():
    for tags in _sequences("BIES", CASES):
        assert entities(tags) == conlleval(tags)


def test_the_lenient_reading_is_that_of_seqeval():
    seqeval = pytest.importorskip("seqeval.metrics.sequence_labeling")

    for tags in _sequences("BIES", CASES):
        expected = [Entity(name, start, end + 1) for name, start, end in seqeval.get_entities(tags)]
        assert entities(tags) == expected


@pytest.mark.parametrize(("scheme", "prefixes"), [("IOB2", "BI"), ("IOBES", "BIES")])
def test_the_strict_readings_are_those_of_seqeval(scheme, prefixes):
    seqeval = pytest.importorskip("seqeval.scheme")

    for tags in _sequences(prefixes, CASES):
        expected = seqeval.Tokens(tags, getattr(seqeval, scheme)).entities
        assert entities(tags, scheme) == [Entity(one.tag, one.start, one.end) for one in expected]


@pytest.mark.parametrize(
    ("scheme", "prefixes"), [("conlleval", "BIES"), ("IOB2", "BI"), ("IOBES", "BIES")]
)
def test_scores_are_those_of_seqeval(scheme, prefixes):
    seqeval = pytest.importorskip("seqeval.metrics")
    schemes = pytest.importorskip("seqeval.scheme")
    strict = {} if scheme == "conlleval" else {"mode": "strict", "scheme": getattr(schemes, scheme)}
    draw = random.Random(1)

    for gold in _documents(prefixes, 150):
        predicted = [
            [tag if draw.random() < 0.7 else draw.choice(_tags(prefixes)) for tag in tags]
            for tags in gold
        ]
        if not any(entities(tags, scheme) for tags in gold + predicted):
            continue  # seqeval has no report of nothing
        scores = entity_scores(gold, predicted, scheme)

        report = seqeval.classification_report(
            gold, predicted, output_dict=True, zero_division=0, **strict
        )
        overall = report.pop("micro avg")
        del report["macro avg"], report["weighted avg"]
        assert _columns(scores) == pytest.approx(tuple(overall.values()))
        assert scores.accuracy == pytest.approx(seqeval.accuracy_score(gold, predicted))
        assert sorted(report) == list(scores.per_type)
        for name, row in report.items():
            assert _columns(scores.per_type[name]) == pytest.approx(tuple(row.values()))


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("eng.train.gz", {"LOC": 7140, "MISC": 3438, "ORG": 6321, "PER": 6600}),
        ("eng.testa.gz", {"LOC": 1837, "MISC": 922, "ORG": 1341, "PER": 1842}),
        ("eng.testb.gz", {"LOC": 1668, "MISC": 702, "ORG": 1661, "PER": 1617}),
    ],
)
def test_conll_2003_has_its_official_number_of_entities(shared_data, file, counts):
    path = shared_data / "conll2003" / file
    if not path.is_file():
        pytest.skip(f"needs {path}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        iob1 = _read(lines)

    iob2 = [_iob2(tags) for tags in iob1]

    found = [one for tags in iob1 for one in entities(tags)]
    assert Counter(one.type for one in found) == counts
    assert [one for tags in iob2 for one in entities(tags)] == found
    assert [one for tags in iob2 for one in entities(tags, "IOB2")] == found


def _columns(score):
    return score.precision, score.recall, score.f1, score.support


def _tags(prefixes):
    return ["O", *(f"{prefix}-{name}" for prefix in prefixes for name in ("PER", "LOC", "x-y"))]


def _sequences(prefixes, number):
    draw = random.Random(0)
    for _ in range(number):
        yield draw.choices(_tags(prefixes), k=draw.randint(0, 9))


def _documents(prefixes, number):
    sequences = [[*tags, "O"] for tags in _sequences(prefixes, 4 * number)]
    return [sequences[start : start + 4] for start in range(0, len(sequences), 4)]


def _read(lines):
    sentences = [[]]
    for line in lines:
        if not line.strip():
            sentences.append([])
        elif not line.startswith("-DOCSTART-"):
            sentences[-1].append(line.split()[-1])
    return [tags for tags in sentences if tags]


def _iob2(tags):
    before, new = "O", []
    for tag in tags:
        begins = tag[0] == "I" and (before == "O" or before[2:] != tag[2:])
        new.append("B" + tag[1:] if begins else tag)
        before = tag
    return new
