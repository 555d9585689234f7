"""What every test gets: no outer network, one thread, fixed seeds, real data if it is at hand."""

import os
import socket
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.modules.setdefault("openvino_telemetry", None)  # as unmask.infer.openvino_runtime does
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(self, address, *rest):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address, *rest)

    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded():
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public datasets that lie beside a checkout; never part of it, as their licences differ."""
    folder = Path(os.environ.get("UNMASK_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the public datasets in ../shared/data (or UNMASK_DATA)")
    return folder
