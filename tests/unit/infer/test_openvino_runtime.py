"""OpenVINO in a process of its own: imported once, it stays so."""

import subprocess
import sys

import pytest

from unmask.core.errors import UserError
from unmask.infer import openvino_runtime

THREADS_AT_ONCE = """
import faulthandler, sys, threading
import numpy as np
from unmask.infer import openvino_runtime
openvino = openvino_runtime.imported("this test")
from openvino import opset13 as ops
faulthandler.dump_traceback_later(20, exit=True)
x = ops.parameter([-1, -1], np.int64, name="x")
core = openvino.Core()
model = core.compile_model(openvino.Model([ops.convert(x, np.float32)], [x]), "CPU")
gate = threading.Barrier(4)
def run(request):
    gate.wait()
    request.infer({"x": np.zeros((2, 3), np.int64)}, share_inputs=True)
    request.get_output_tensor(0).data
threads = [
    threading.Thread(target=run, args=(model.create_infer_request(),)) for _ in range(4)
]
sys.setswitchinterval(1e-6)
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not any(name.startswith("openvino_telemetry.") for name in sys.modules)
assert openvino.tools.ovc.telemetry_utils.tm.__name__.endswith("telemetry_stub")
print("done")
"""


def test_threads_may_come_first_at_once_and_nobody_is_told() -> None:
    pytest.importorskip("openvino")
    done = subprocess.run(
        [sys.executable, "-c", THREADS_AT_ONCE], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "done\n", done.stderr


def test_a_missing_openvino_is_named_with_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UserError, match=r"--to openvino: needs openvino"):
        openvino_runtime.imported("--to openvino")
