"""Folders that results go to, made before anything is computed."""

from pathlib import Path

from unmask.core.errors import UserError


def made(folder: Path, flag: str = "--out", *, empty: bool = False) -> None:
    """Make a folder; UserError where there can be none or, with `empty`, where it holds files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        full = empty and any(folder.iterdir())
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{flag} {folder}: a file, not a folder", "name a folder") from None
    except PermissionError:
        raise UserError(
            f"{flag} {folder}: may not be written", "change the permissions, or write elsewhere"
        ) from None
    if full:
        raise UserError(f"{flag} {folder}: is not empty", "name another folder")
