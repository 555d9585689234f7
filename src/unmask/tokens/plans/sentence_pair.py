"""The SENTENCE-PAIR + NSP format (RoBERTa, section 4.2).

A is one sentence, and B the sentence after it, or for half of the pairs a sentence of another
document. Two sentences that follow each other make one block; a sentence whose B is from elsewhere
leaves the one after it to begin the next. The last one of a document always gets its B from
elsewhere. Blocks are short, so a batch holds more of them, for as many tokens. A sentence longer
than half a block is cut into pieces that fit; nothing is dropped.
"""

from unmask.tokens.plans.pairs import PairRun, Sentences


def sentence_pairs(found: Sentences) -> list[PairRun]:
    """Pair the sentences of a shard."""
    pairs, first, count = [], 0, len(found.random_P)
    edge = found.edge_P
    while first < count:
        end, other = edge[first + 1], found.elsewhere_P[first]
        last = found.end_of_document_P[first] == first + 1
        if other >= 0 and (last or found.random_P[first]):
            pairs.append(PairRun(edge[first], end, edge[other], edge[other + 1], follows=False))
            first += 1
        else:
            following = first + 1 if last else first + 2
            pairs.append(PairRun(edge[first], end, end, edge[following], follows=not last))
            first = following
    return pairs
