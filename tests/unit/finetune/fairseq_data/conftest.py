"""A writer of fairseq's memory-mapped datasets."""

import pytest
from tests import fairseq_preprocess


@pytest.fixture(scope="session")
def write():
    """Writes items (lists of numbers) as STEM.idx and STEM.bin."""
    return fairseq_preprocess.write
