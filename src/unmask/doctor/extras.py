"""Which extras of the package are installed."""

from importlib import metadata

from packaging.requirements import Requirement

PACKAGE = "unmask"
FOR_DEVELOPERS = ("test", "dev")


def missing() -> dict[str, list[str]]:
    """For each extra, which of its packages are not there."""
    found: dict[str, list[str]] = {}
    for extra in metadata.metadata(PACKAGE).get_all("Provides-Extra") or []:
        if extra not in FOR_DEVELOPERS:
            found[extra] = [name for name in _packages(extra) if not _is_there(name)]
    return found


def _packages(extra: str) -> list[str]:
    wanted = [Requirement(line) for line in metadata.requires(PACKAGE) or []]
    return [
        item.name
        for item in wanted
        if item.marker
        and item.marker.evaluate({"extra": extra})
        and not item.marker.evaluate({"extra": ""})
    ]


def _is_there(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
