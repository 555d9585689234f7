"""`unmask predict --output`: a file of answers that a killed run goes on with.

Beside OUTPUT lies OUTPUT.progress.json while it grows, and OUTPUT.done.json when it is whole. Both
say of which texts, model and settings the answers are; texts are known by the hash of those that
were read so far, so that they may come from anywhere, and a file may be mended where it could not
be read. What was written after the last full window is answered again, in the same windows, so
that the bytes are those of a run that was never stopped.
"""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from unmask.core import files, locks
from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.infer import progress as records
from unmask.infer.choice import CHOICE_FILE
from unmask.infer.config import OF_FEATURES, PredictConfig
from unmask.infer.pipelines import Answer
from unmask.infer.progress import ANEW, Progress
from unmask.infer.reading import Meter
from unmask.infer.sinks import Sink, sink, write_npz
from unmask.infer.streaming import Item, Job, Window, Windows, shown

CHUNK_BYTES = 1 << 20


def write(config: PredictConfig, output: Path, job: Job, meter: Meter) -> None:
    """Write the answers to all texts, or go on where an earlier run was stopped.

    UserError for a file that cannot be written, and for one that holds other answers; then it is
    left as it is.
    """
    refuse(output, config.input)
    windows = Windows(job.items, job.size)
    begun = records.begun(config)
    with _alone(output), _room(output):
        if config.force:
            _remove(output)
        elif done := records.recorded(output, records.when_done(output)):
            _refuse_unless_done(output, done, begun, windows)
            records.while_it_grows(output).unlink(missing_ok=True)
            say(f"{output}: done already (same texts, model and settings); --force redoes it")
            return
        records.when_done(output).unlink(missing_ok=True)
        ragged = config.mode != "features"
        if config.mode in OF_FEATURES and output.suffix == ".npz":
            _refuse_written(output)
            texts = _write_whole(output, job, windows, meter, ragged=ragged)
        else:
            form = sink(output, features=config.mode in OF_FEATURES)
            texts = _Appending(output, form, job, windows, begun).run(meter)
        _finish(output, dataclasses.replace(begun, input=windows.digest(), texts=texts))


def refuse(output: Path, given: Path | None) -> None:
    """UserError for a file that cannot be written, or that the texts are read from."""
    folder = output.absolute().parent
    if output.is_dir():
        raise UserError(f"--output {output}: a folder, not a file", "name a file in it")
    if not folder.is_dir():
        raise UserError(f"--output {output}: {folder} is no folder", f"make it: mkdir -p {folder}")
    if output.exists() and not output.is_file():
        raise UserError(
            f"--output {output}: no ordinary file", "leave --output out to write to stdout"
        )
    if given is not None and output.exists() and given.exists() and output.samefile(given):
        raise UserError(f"--output {output}: is the --input, too", "give another --output")
    if not os.access(folder, os.W_OK | os.X_OK) or (
        output.exists() and not os.access(output, os.W_OK)
    ):
        raise UserError(
            f"--output {output}: may not be written", "change the permissions, or write elsewhere"
        )


class _Appending:
    """Answers that are appended window by window."""

    def __init__(
        self, output: Path, form: Sink, job: Job, windows: Windows, begun: Progress
    ) -> None:
        self._output, self._sink, self._job, self._windows = output, form, job, windows
        self._hash = hashlib.sha256()
        self._progress = self._start(begun)

    def run(self, meter: Meter) -> int:
        """Answer what is left; the number of texts in all."""
        self._skip_answered()
        answer = self._job.open()
        with self._output.open("r+b", buffering=0) as file:
            file.truncate(self._progress.bytes)
            file.seek(0, os.SEEK_END)
            with shown(meter, self._windows.read) as progress:
                for window in self._windows:
                    self._append(file, answer(window.items))
                    self._note(file, window)
                    progress.advance(len(window.items))
            self._append(file, self._job.tally.last() if self._job.tally is not None else ())
            self._sink.finish(file, self._windows.read)
            os.fsync(file.fileno())
        return self._windows.read

    def _start(self, begun: Progress) -> Progress:
        """Find out where to go on; at the beginning where nothing was written."""
        path = records.while_it_grows(self._output)
        old = records.recorded(self._output, path)
        if old is None:
            _refuse_written(self._output)
            # Before the first answer is there, so that they are known to be of this command.
            records.save(path, begun)
            self._output.touch()
            return begun
        records.refuse_other(self._output, old, begun)
        if old.choice != begun.choice:
            raise UserError(
                f"{self._output}: was begun when {CHOICE_FILE} said otherwise, and another runtime "
                "or other batches answer with other last digits",
                ANEW,
            )
        self._refuse_changed(old, path)
        if self._job.tally is not None and old.tally:
            self._job.tally.restore(old.tally)
        return old

    def _refuse_changed(self, old: Progress, path: Path) -> None:
        """Read what was written, as what follows is hashed with it; UserError if it is not that."""
        size = self._output.stat().st_size
        if size < old.bytes:
            raise UserError(
                f"{self._output}: has {size:,} bytes, and {path.name} says {old.bytes:,}", ANEW
            )
        left = max(0, old.bytes - self._sink.head)
        with self._output.open("rb") as file, bar("check answers", left) as progress:
            file.seek(self._sink.head)
            while chunk := file.read(min(CHUNK_BYTES, left)):
                self._hash.update(chunk)
                left -= len(chunk)
                progress.advance(len(chunk))
        if old.bytes and self._hash.hexdigest() != old.sha256:
            raise UserError(
                f"{self._output}: its first {old.bytes:,} bytes have been changed since they were "
                "written",
                ANEW,
            )

    def _skip_answered(self) -> None:
        known = self._progress
        if not known.texts:
            return
        self._windows.skip(known.texts)
        if (self._windows.read, self._windows.digest()) != (known.texts, known.input):
            raise UserError(
                f"{self._output}: holds answers to {known.texts:,} texts, and those that come now "
                "begin otherwise",
                ANEW,
            )
        say(f"{self._output}: going on after {known.texts:,} texts")

    def _append(self, file: IO[bytes], answers: Iterable[Answer]) -> None:
        for answer in answers:
            first = file.tell() == 0
            rest = memoryview(self._sink.encode(answer, first=first))
            self._hash.update(rest[self._sink.head if first else 0 :])
            while rest:  # a disk that is full may take a part
                rest = rest[file.write(rest) :]

    def _note(self, file: IO[bytes], window: Window) -> None:
        """Record a full window; shorter ones are answered again, lest windows be others then."""
        if not window.full:
            return
        os.fsync(file.fileno())
        self._progress = dataclasses.replace(
            self._progress,
            input=self._windows.digest(),
            texts=self._windows.read,
            bytes=file.tell(),
            tally=self._job.tally.state() if self._job.tally is not None else {},
            sha256=self._hash.hexdigest(),
        )
        records.save(records.while_it_grows(self._output), self._progress)


def _write_whole(output: Path, job: Job, windows: Windows, meter: Meter, *, ragged: bool) -> int:
    """An archive knows its sizes only at the end, and so all is held until then."""
    answer: Callable[[list[Item]], Iterable[Answer]] = job.open()
    answers: list[Answer] = []
    with shown(meter) as progress:
        for window in windows:
            answers += answer(window.items)
            progress.advance(len(window.items))
    write_npz(output, answers, ragged=ragged)
    return windows.read


def _refuse_unless_done(output: Path, done: Progress, begun: Progress, windows: Windows) -> None:
    records.refuse_other(output, done, begun)
    windows.skip_all()
    if (windows.read, windows.digest()) != (done.texts, done.input):
        raise UserError(
            f"{output}: holds answers to {done.texts:,} texts, and those that come now are others",
            ANEW,
        )
    if output.stat().st_size != done.bytes or files.sha256(output) != done.sha256:
        raise UserError(f"{output}: has been changed since it was written", ANEW)


def _refuse_written(output: Path) -> None:
    """An empty file, as mktemp makes it, is as good as none."""
    if output.exists() and output.stat().st_size:
        raise UserError(f"{output}: is there already, and not known to be such answers", ANEW)


def _finish(output: Path, whole: Progress) -> None:
    done = dataclasses.replace(
        whole, bytes=output.stat().st_size, sha256=files.sha256(output), tally={}
    )
    records.save(records.when_done(output), done)
    records.while_it_grows(output).unlink(missing_ok=True)


def _remove(output: Path) -> None:
    """Forget an earlier run: its answers first, lest they outlive what is known of them."""
    for path in (output, records.while_it_grows(output), records.when_done(output)):
        path.unlink(missing_ok=True)


@contextmanager
def _alone(output: Path) -> Iterator[None]:
    """Hold the file's lock, so that two runs do not write into each other's answers."""
    try:
        locks.hold(output)
    except UserError as error:
        raise UserError(
            error.what, "wait until it is done, stop it, or give another --output"
        ) from None
    try:
        yield
    finally:
        locks.release(output)


@contextmanager
def _room(output: Path) -> Iterator[None]:
    """Say where a full disk stopped the run."""
    try:
        yield
    except OSError as error:
        if error.errno not in files.NO_SPACE:
            raise
        raise UserError(
            f"{output}: no space left ({error.strerror}); what was answered before is kept",
            "free some space and run the same command again: it goes on from there",
        ) from None
