"""Commands in processes of their own that need not import torch first, which takes seconds.

They are forked off a server that has imported it, and are killed, signalled and waited for as any
other process.
"""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from pathlib import Path
from tempfile import mkstemp
from unittest import mock

import torch

from unmask import cli

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["unmask.pretrain.run"])


class Command:
    """`unmask WORDS` in a folder, with an environment; begun at once."""

    def __init__(self, words, folder, environment):
        with mock.patch.dict(os.environ, environment):
            forkserver.ensure_running()  # torch reads its settings when it is imported
        file, said = mkstemp(suffix=".stderr", dir=folder)
        os.close(file)
        self._said = Path(said)
        arguments = ([*map(str, words)], folder, dict(environment), said)
        self._process = CONTEXT.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self):
        """None while it runs; the negative number of the signal that ended it."""
        return self._process.exitcode

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self):
        self._process.kill()

    def wait(self, timeout):
        """Wait for its end; what it said on stderr."""
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"not done after {timeout} s: {self._said.read_text()}")
        return self._said.read_text(encoding="utf-8")


def _run(words, folder, environment, said):
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for stream, path in ((1, os.devnull), (2, said)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, stream)
        os.close(file)
    if threads := environment.get("OMP_NUM_THREADS"):  # the server may have begun with others
        torch.set_num_threads(int(threads))
    sys.argv = ["unmask", *words]
    raise SystemExit(cli.main())
