"""OpenVINO, as it has to be imported."""

import sys
from types import ModuleType

import numpy as np

from unmask.core.errors import UserError


def imported(what: str) -> ModuleType:
    """Import OpenVINO for something, which a UserError names if it is not installed.

    Its package of telemetry sends what is converted and run, and how, to a counting service. That
    is nobody's business but the user's: where the package is not found, OpenVINO does without it
    (openvino/tools/ovc/telemetry_stub.py).

    Its table of numpy's types is made with the first array. Two threads that both come first wait
    for each other for ever, one with the table's lock and one with Python's; so an array goes
    through here, forth and back.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # absent for import
    try:
        import openvino
    except ImportError:
        raise UserError(f"{what}: needs openvino", "pip install 'unmask[export]'") from None
    openvino.Tensor(np.zeros(1, np.int64)).data  # noqa: B018  # what it does on the way counts
    module: ModuleType = openvino
    return module
