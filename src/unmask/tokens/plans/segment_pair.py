"""The SEGMENT-PAIR + NSP format (BERT, section 3.1; RoBERTa, section 4.2).

Each segment is as many whole sentences of one document as fit. Sentences in order fill the room of
a block; a random place parts them into A and B. For half of the blocks B comes from another
document instead, and what had been B begins the next block (create_pretraining_data.py). One
sentence alone always gets its B from elsewhere. A sentence longer than half a block is cut into
pieces that fit; nothing is dropped. BERT's share of deliberately shorter pairs is left out.
"""

from unmask.tokens.plans.pairs import PairRun, Sentences


def segment_pairs(found: Sentences) -> list[PairRun]:
    """Pair the sentences of a shard."""
    pairs, first, count = [], 0, len(found.random_P)
    while first < count:
        last = _filled(found, first, found.room)
        parted = first + 1 + found.split_P[first] % max(1, last - first - 1)
        lonely = last == first + 1
        if found.elsewhere_P[first] >= 0 and (lonely or found.random_P[first]):
            pairs.append(_with_other(found, first, parted))
            first = parted
        else:
            start, middle, end = (found.edge_P[piece] for piece in (first, parted, last))
            pairs.append(PairRun(start, middle, middle, end, follows=not lonely))
            first = last
    return pairs


def _with_other(found: Sentences, first: int, parted: int) -> PairRun:
    """Pair A with as many sentences from elsewhere as fit beside it."""
    start, end, other = found.edge_P[first], found.edge_P[parted], found.elsewhere_P[first]
    room = found.room - (end - start)
    begin, filled = found.edge_P[other], found.edge_P[_filled(found, other, room)]
    return PairRun(start, end, begin, min(filled, begin + room), follows=False)


def _filled(found: Sentences, first: int, room: int) -> int:
    """Take sentences of one document while they fit, and at least one."""
    edge, end = found.edge_P, found.end_of_document_P[first]
    last = first + 1
    while last < end and edge[last + 1] - edge[first] <= room:
        last += 1
    return last
