"""What an environment holds, read from its files: asking its interpreter would execute what was installed.

Even these were written by others where packages were built: no link is followed, and nothing long is read.
"""

import json
from email.parser import HeaderParser
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from kernel.errors import Invalid
from runner.working.code_reading import small_text

_MOST: Final = 4 * 1024**2  # bytes of one file
_PLACES: Final = ("lib/python*/site-packages/*.dist-info", "lib64/python*/site-packages/*.dist-info")


def installed_in(venv: Path, *places: str) -> list[str]:
    """Lines as name==version, or name @ address for what came from one; by name. places: patterns of further folders
    in which packages lie."""
    found: dict[str, str] = {}
    for folder in (place for pattern in (*_PLACES, *places) for place in venv.glob(pattern) if _lies_in(venv, place)):
        about = HeaderParser().parsestr(_text(folder, "METADATA"))
        name, version = about.get("Name", ""), about.get("Version", "")
        if name and version:
            found.setdefault(name.lower(), _line(name, version, _text(folder, "direct_url.json")))
    return [found[name] for name in sorted(found)]


def _lies_in(venv: Path, folder: Path) -> bool:
    try:
        return folder.resolve().is_relative_to(venv.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


def _text(folder: Path, name: str) -> str:
    try:
        return small_text(folder, name, _MOST) or ""
    except Invalid:
        return ""


def _line(name: str, version: str, origin: str) -> str:
    try:
        told = json.loads(origin or "{}")
        address, about = str(told["url"]), told.get("vcs_info") or {}
        if about:
            address = f"{about['vcs']}+{address}@{about['commit_id']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{name}=={version}"
    return f"{name} @ {_without_names(address)}"


def _without_names(address: str) -> str:
    """Without a user name or password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
