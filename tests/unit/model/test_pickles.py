"""Pickles that would run something, and do not."""

import argparse
import collections
import os
import pickle

import pytest
import torch

from unmask.core.errors import UserError
from unmask.model import pickles

formats = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


class Runs:
    """Runs a shell command when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


class Node:
    """As omegaconf's nodes: state in attributes, a way back to the parent."""

    def __init__(self, **state):
        self.__dict__.update(state)

    def __getstate__(self):
        return self.__dict__


def saved(value, path, *, zipped=True):
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


@formats
def test_a_pickle_that_would_run_a_command_runs_nothing(zipped, tmp_path):
    marker = tmp_path / "it-ran"
    path = saved({"model": {}, "args": Runs(marker)}, tmp_path / "model.pt", zipped=zipped)

    loaded = pickles.load(path)

    assert isinstance(loaded["args"], pickles.Inert)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists(), "the pickle was harmless, so this test shows nothing"


def test_the_header_of_the_legacy_format_runs_nothing_either(tmp_path):
    marker = tmp_path / "it-ran"
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Runs(marker)))

    with pytest.raises(UserError, match="cannot be read as a torch checkpoint"):
        pickles.load(tmp_path / "model.pt")

    assert not marker.exists()


def test_calling_what_a_lookup_gave_is_refused(tmp_path):
    class Chained:
        def __reduce__(self):
            return pickle.Unpickler.load, ()

    with pytest.raises(UserError, match="cannot be read as a torch checkpoint"):
        pickles.load(saved({"args": Chained()}, tmp_path / "model.pt"))


@formats
def test_tensors_come_to_life_and_objects_only_show_their_state(zipped, tmp_path):
    value = {
        "model": collections.OrderedDict(
            half=torch.ones(2, dtype=torch.float16),
            whole=torch.arange(3),
            parameter=torch.nn.Parameter(torch.ones(2, 2)),
        ),
        "args": argparse.Namespace(heads=12),
        "rest": [torch.float16, torch.Size([2]), collections.Counter("aab"), {1, 2}],
    }

    loaded = pickles.load(saved(value, tmp_path / "model.pt", zipped=zipped))

    assert loaded["args"].state == {"heads": 12}
    assert loaded["rest"][:2] == [torch.float16, torch.Size([2])]
    for name, tensor in value["model"].items():
        assert torch.equal(loaded["model"][name], tensor), name


def test_a_setting_is_found_however_deep_and_round_in_circles(tmp_path):
    root = Node(content={"model": None})
    root.content["model"] = Node(parent=root, content={"heads": Node(_val=12, parent=root)})

    loaded = pickles.load(saved({"cfg": root}, tmp_path / "model.pt"))

    assert pickles.recorded(loaded, "heads") == 12
    assert pickles.recorded(loaded, "width") is None


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_torchscript_archive_is_refused(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "model.pt")

    with pytest.raises(UserError, match="TorchScript archive"):
        pickles.load(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"PK\x03\x04broken"])
def test_a_file_that_is_no_checkpoint_is_refused(content, tmp_path):
    (tmp_path / "model.pt").write_bytes(content)

    with pytest.raises(UserError, match="cannot be read as a torch checkpoint"):
        pickles.load(tmp_path / "model.pt")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        pickles.load(tmp_path / "model.pt")
