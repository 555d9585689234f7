"""Files of labelled data, plain or packed, and what may be wrong with them."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from unmask.core.errors import UserError
from unmask.corpus.inputs.packing import DAMAGE, unpacked
from unmask.corpus.inputs.sources import suffixes


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Give what is in a file, unpacked, and say what is wrong with it while it is read."""
    try:
        with path.open("rb") as file:
            stream = io.BytesIO(unpacked(file, suffixes(path)[1]).read())
        yield stream
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not a file", "name the file in it") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 ({error.reason} at byte {error.start})", "convert it to UTF-8"
        ) from None
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UserError(f"{path}: damaged ({error})", "fetch or write it again") from None


def text(path: Path) -> str:
    """The whole of a text file."""
    with opened(path) as stream:
        return stream.read().decode("utf-8-sig")


def json_value(path: Path) -> Any:  # noqa: ANN401
    """The value of a file that is one JSON value."""
    try:
        return json.loads(text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"{path}: no JSON ({error})", "mend it, or fetch it again") from None
