"""What is installed where a command runs, and the lock files that say what should be."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mled.capture.programs import said

LOCKS = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "pixi.lock",
    "conda-lock.yml",
    "requirements.lock",
    "requirements.txt",
    "environment.yml",
    "conda.yaml",
    "python_env.yaml",
    "pyproject.toml",
)
LOCK_MAX = 10 * 1024 * 1024  # bytes
_PYTHON = re.compile(r"^(python|pypy)[\d.]*(\.exe)?$")
_LIST = """
import importlib.metadata, json, platform, sys
names = {}
for one in importlib.metadata.distributions():
    name = one.metadata["Name"]
    if name:
        names.setdefault(name.lower(), f"{name}=={one.version}")
print(json.dumps({"python": platform.python_version(), "implementation": platform.python_implementation(),
                  "packages": [names[name] for name in sorted(names)]}))
"""


@dataclass(frozen=True)
class Packages:
    """python: the interpreter's version, '' where no Python runs; installed: lines as name==version; locks: files."""

    python: str = ""
    installed: tuple[str, ...] = ()
    locks: tuple[Path, ...] = ()


def packages_of(command: Sequence[str], folder: Path) -> Packages:
    """What a command of this folder finds installed."""
    python = interpreter_of(command)
    told = _told_by(python, folder) if python else {}
    return Packages(
        python=str(told.get("python", "")),
        installed=tuple(str(line) for line in told.get("packages", ())),
        locks=locks_above(folder),
    )


def interpreter_of(command: Sequence[str]) -> str:
    """The Python that runs a command: named itself, or by the first line of the script that is called; else ''."""
    found = shutil.which(command[0]) if command else None
    if found is None:
        return ""
    if _PYTHON.match(Path(found).name):
        return found
    return _named_by(Path(found))


def _named_by(script: Path) -> str:
    try:
        with script.open("rb") as file:
            line = file.readline(500)
    except OSError:
        return ""
    if not line.startswith(b"#!"):
        return ""
    words = shlex.split(line[2:].decode("utf-8", "replace"))
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if not words or not _PYTHON.match(Path(words[0]).name):
        return ""
    return shutil.which(words[0]) or ""


def locks_above(folder: Path) -> tuple[Path, ...]:
    """The lock files of the nearest folder upwards that has any; no further than the repository's root."""
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        found = tuple(place / name for name in LOCKS if _is_small_file(place / name))
        if found:
            return found
        if (place / ".git").exists():
            break
    return ()


def _is_small_file(path: Path) -> bool:
    try:
        return path.is_file() and 0 < path.stat().st_size <= LOCK_MAX
    except OSError:
        return False


def _told_by(python: str, folder: Path) -> dict[str, Any]:
    quiet = {"PYTHONWARNINGS": "ignore", "PYTHONSAFEPATH": "1"}
    answer = said([python, "-c", _LIST], folder=folder, more=quiet)
    try:
        told = json.loads(answer or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def here(folder: Path) -> Packages:
    """What this very process finds installed."""
    return packages_of([sys.executable or os.fsdecode(sys.argv[0])], folder)
