"""A file that is one JSON value, plain or packed."""

import json
from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.corpus.inputs.packing import DAMAGE, unpacked
from unmask.corpus.inputs.sources import suffixes


def read(path: Path) -> Any:  # noqa: ANN401
    """Read the value; UserError for a file that is missing, damaged or no JSON."""
    try:
        with path.open("rb") as file:
            return json.loads(unpacked(file, suffixes(path)[1]).read().decode("utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not a file", "name the file in it") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 ({error.reason} at byte {error.start})", "convert it to UTF-8"
        ) from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"{path}: no JSON ({error})", "mend it, or fetch it again") from None
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UserError(f"{path}: damaged ({error})", "fetch or write it again") from None
