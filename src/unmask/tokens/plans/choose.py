"""From the name of an input format to its plan."""

from collections.abc import Sequence

from unmask.tokens.plan_names import PlanName
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.doc_sentences import DOC_SENTENCES
from unmask.tokens.plans.full_sentences import FULL_SENTENCES
from unmask.tokens.plans.group_texts import GROUP_TEXTS
from unmask.tokens.plans.line import LINE
from unmask.tokens.plans.pairs import Pairs
from unmask.tokens.plans.plan import Plan
from unmask.tokens.plans.runs import Runs
from unmask.tokens.plans.segment_pair import segment_pairs
from unmask.tokens.plans.sentence_pair import sentence_pairs
from unmask.tokens.plans.unbroken import UNBROKEN
from unmask.tokens.read import Shard


def choose(name: PlanName, shards: Sequence[Shard], length: int, special: SpecialIds) -> Plan:
    """Plan a split: blocks of at most `length` tokens out of these shards."""
    match name:
        case "full-sentences":
            return Runs(shards, length, special, FULL_SENTENCES)
        case "doc-sentences":
            return Runs(shards, length, special, DOC_SENTENCES)
        case "none":
            return Runs(shards, length, special, UNBROKEN)
        case "line":
            return Runs(shards, length, special, LINE)
        case "hf":
            return Runs(shards, length, special, GROUP_TEXTS)
        case "segment-pair":
            return Pairs(shards, length, special, segment_pairs, balanced=False)
        case "sentence-pair":
            return Pairs(shards, length, special, sentence_pairs, balanced=True)
