"""What commands say, in processes of their own that need not import torch first."""

import dataclasses
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from unmask import cli

from .warm import CONTEXT

WAIT_S = 60


@dataclasses.dataclass
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    talk: str

    @property
    def answers(self):
        """The JSON lines of stdout."""
        assert self.code == 0, self.talk
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self):
        """The error and the hint, the only two lines on stderr; nothing else was said."""
        assert self.code == 2, (self.code, self.out, self.talk)
        error, hint = self.talk.splitlines()
        assert error.startswith("error: ")
        assert hint.startswith("hint: ")
        return error, hint


def said(line, *words, stdin=""):
    """Run `unmask WORDS` in the folder of a line to its end."""
    with TemporaryDirectory(dir=line.folder) as name:
        paths = [Path(name) / stream for stream in ("in", "out", "talk")]
        for path, text in zip(paths, (stdin, "", ""), strict=True):
            path.write_text(text, encoding="utf-8")
        arguments = ([*map(str, words)], line.folder, dict(line.environment), paths)
        process = CONTEXT.Process(target=_run, args=arguments, daemon=True)
        process.start()
        process.join(WAIT_S)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"not done after {WAIT_S} s: {paths[2].read_text()}")
        out, talk = (path.read_text(encoding="utf-8") for path in paths[1:])
        return Said(process.exitcode, out, talk)


def _run(words, folder, environment, paths):
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for stream, path in enumerate(paths):
        file = os.open(path, os.O_WRONLY | os.O_APPEND if stream else os.O_RDONLY)
        os.dup2(file, stream)
        os.close(file)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)  # multiprocessing has closed it
    sys.argv = ["unmask", *words]
    raise SystemExit(cli.main())
