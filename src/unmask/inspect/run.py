"""`unmask tokens inspect`: a tokens folder in, something to look at out."""

import numpy as np

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.corpus.split import SPLITS
from unmask.inspect import facts, lengths, page, terminal
from unmask.inspect.blocks import Reader
from unmask.inspect.config import InspectConfig
from unmask.inspect.look import Look
from unmask.inspect.origins import Origins
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.format import Ints
from unmask.tokens.plan_names import PlanName
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import TokenFolder


def run(config: InspectConfig) -> None:
    """Show the folder on stdout, or write the page."""
    found = look(config)
    if config.html is None:
        terminal.show(found)
    else:
        page.write(found, config.html)
        say(f"{config.html}: written")


def look(config: InspectConfig) -> Look:
    """Open and check the folder, and read what is shown of it."""
    folder = TokenFolder.open(config.folder)
    tokenizer = _tokenizer(config, folder)
    name: PlanName = config.plan or folder.manifest.facts["plan"]
    length = config.length or int(folder.manifest.facts["length"])
    special = SpecialIds.of(tokenizer)
    shards = {split: folder.shards(split) for split in SPLITS}
    plans = {split: choose(name, shards[split], length, special) for split in SPLITS}
    plan, shown = plans[config.split], shards[config.split]
    block_B = _numbers(config, plan.count, f"{name}, length {length}")
    # Masks may look at the text that is trained on, whatever they are shown for.
    masker = Masker.of(config.masking, config.seed, tokenizer, shards["train"])
    reader = Reader(tokenizer, plan, Origins(shown, name, length, special), masker)
    return Look(
        folder=str(config.folder),
        facts=facts.facts(folder, tokenizer),
        tables=(facts.text_table(folder), facts.plan_table(name, plans)),
        histograms=(
            lengths.blocks(plan.lengths_B, length),
            lengths.sentences(shown),
            lengths.documents(shown),
        ),
        blocks=reader.read(block_B, config.epoch),
        count=plan.count,
        split=config.split,
        epoch=config.epoch,
        seed=config.seed,
        byte_level=tokenizer.family == "roberta",
    )


def _tokenizer(config: InspectConfig, folder: TokenFolder) -> Tokenizer:
    """Load the tokenizer that made the folder."""
    place = config.tokenizer or manifests.linked(config.folder, "tokenizer")
    if config.tokenizer is None and not place.exists():
        raise UserError(
            f"{place}: the tokenizer that made {config.folder} is gone",
            "say where it is with --tokenizer",
        )
    tokenizer = Tokenizer.load(place)
    folder.require_tokenizer(tokenizer.fingerprint, of=place)
    return tokenizer


def _numbers(config: InspectConfig, count: int, plan: str) -> Ints:
    """Number the blocks that are shown: those there are, from the first on."""
    if not count:
        other = SPLITS[config.split == SPLITS[0]]
        raise UserError(
            f"{config.folder}: {config.split} has no blocks ({plan})",
            f"look at --split {other}, or give unmask corpus more text for {config.split}",
        )
    if config.first >= count:
        raise UserError(
            f"--first {config.first}: {config.split} has {count:,} blocks ({plan}), and the "
            "first is number 0",
            f"give {count - 1} or less",
        )
    return np.arange(config.first, min(config.first + config.blocks, count), dtype=np.int64)
