"""`unmask doctor`: a look at the machine, as tables or as JSON."""

import dataclasses
import json
import sys

from unmask.doctor import terminal
from unmask.doctor.config import DoctorConfig
from unmask.doctor.findings import look


def run(config: DoctorConfig) -> None:
    """Look and print."""
    found = look(config.out)
    if config.json:
        sys.stdout.write(json.dumps(dataclasses.asdict(found), indent=2) + "\n")
    else:
        terminal.show(found)
