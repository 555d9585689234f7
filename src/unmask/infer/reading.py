"""Files of texts, read in parts: how much of them is held does not depend on their size."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from unmask.core.errors import UserError
from unmask.corpus.inputs.packing import DAMAGE, unpacked
from unmask.corpus.inputs.sources import suffixes


class Meter:
    """Tells how much of a file has been read, packed or not, from where its bytes stand."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._size = 0

    def follow(self, file: IO[bytes]) -> None:
        """Watch a file that is read from its beginning to its end."""
        self._file, self._size = file, os.fstat(file.fileno()).st_size

    def share(self) -> float | None:
        """The share that has been read, over 0 and at most 1; None where nothing tells it."""
        if self._file is None or not self._size:
            return None
        return 1.0 if self._file.closed else self._file.tell() / self._size or None


@contextmanager
def opened(path: Path, meter: Meter | None = None) -> Iterator[IO[bytes]]:
    """Give what is in a file, unpacked as it is read, and say what is wrong with it meanwhile.

    A packed .parquet, which has to be read here and there, is unpacked onto disk first.
    """
    kind, packing = suffixes(path)
    try:
        with path.open("rb") as file:
            stream = unpacked(file, packing)
            if kind != ".parquet":
                if meter is not None:
                    meter.follow(file)
                yield stream
            elif packing:
                with tempfile.TemporaryFile() as whole:
                    shutil.copyfileobj(stream, whole)
                    whole.seek(0)
                    yield whole
            else:
                yield file
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not a file", "name the file in it") from None
    except PermissionError:
        raise UserError(f"{path}: may not be read", "change its permissions") from None
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UserError(f"{path}: damaged ({error})", "fetch or write it again") from None
