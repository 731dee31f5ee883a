"""Which versions run here, and whether they are the ones that MLED was tested with."""

import platform
from importlib import metadata

import django
from django.conf import settings
from packaging.requirements import InvalidRequirement, Requirement

from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mlflow_api.coverage import summary

_NAMED = 5


@check("versions", "Versions", seconds=5)
def versions(notes: Notes) -> None:
    """Versions of MLED, Python, Django and the packages, against those it was tested with; what of MLflow is served."""
    notes.figure("MLED", settings.MLED_VERSION)
    notes.figure("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    notes.figure("Django", django.get_version())
    notes.figure("MLflow protocol", summary())
    others = differing()
    if others is None:
        notes.figure("Packages", "unknown: constraints.txt is not here")
        return
    notes.figure("Packages", "as pinned" if not others else f"{len(others)} other than pinned")
    if others:
        more = len(others) - _NAMED
        named = ", ".join(others[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        notes.warn(
            "versions.packages",
            f"Not the packages that MLED was tested with: {named}.",
            "Run make up (or python3 prepare.py), which installs the pinned versions.",
        )


def differing() -> list[str] | None:
    """Installed packages of another version than constraints.txt says; None where it is not here."""
    path = settings.BASE_DIR / "constraints.txt"
    if not path.exists():
        return None
    found = (_difference(line) for line in path.read_text().splitlines())
    return [one for one in found if one]


def _difference(line: str) -> str:
    try:
        wanted = Requirement(line.partition("#")[0].strip())
    except InvalidRequirement:
        return ""  # a comment, or an empty line
    if wanted.marker and not wanted.marker.evaluate():
        return ""
    try:
        here = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return ""  # for development only, or not needed here
    return "" if wanted.specifier.contains(here, prereleases=True) else f"{wanted.name} {here} ({wanted.specifier})"
