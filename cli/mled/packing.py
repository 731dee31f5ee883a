"""A folder as one archive: what git would keep, without files that commonly hold secrets, the same bytes each time."""

from __future__ import annotations

import fnmatch
import gzip
import os
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, cast

from mled.capture.programs import said
from mled.capture.secrecy import is_secret_file
from mled.problems import Usage

FILES_MAX: Final = 20_000
BYTES_MAX: Final = 1024**3
NEVER: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints", ".mypy_cache",
     ".pytest_cache", ".ruff_cache", ".tox", ".DS_Store", "mlruns"}
)  # fmt: skip
_GIT: Final = ("git", "-c", "core.quotepath=off", "-c", "core.excludesFile=")


@dataclass(frozen=True)
class Packed:
    """files: how many went in; secret: files that were left out since their names say that they hold secrets."""

    files: int
    size_bytes: int
    secret: tuple[str, ...]


def pack(folder: Path, archive: Path) -> Packed:
    """Write a tar.gz of a folder. Raises Usage where it is empty or too much."""
    names = names_below(folder)
    secret = tuple(name for name in names if is_secret_file(name))
    kept = [name for name in names if name not in set(secret)]
    if not kept:
        raise Usage(f"There is nothing to send in {folder}.", hint="Go to the folder of your code.", field="--folder")
    size = sum((folder / name).stat().st_size for name in kept)
    if len(kept) > FILES_MAX or size > BYTES_MAX:
        raise Usage(
            f"{folder} has {len(kept):,} files of {size / 1e6:,.0f} MB in all: that is data rather than code.",
            hint="Name what is not code in .gitignore, and give data with --data.",
            field="--folder",
        )
    with archive.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        _write(folder, kept, cast("BinaryIO", packed))
    return Packed(len(kept), size, secret)


def names_below(folder: Path) -> list[str]:
    """The files that git would keep, by their path below the folder, in order."""
    known = _by_git(folder)
    found = list(_by_walking(folder)) if known is None else known
    return sorted(name for name in set(found) if _is_ours(folder, name))


def _is_ours(folder: Path, name: str) -> bool:
    if NEVER & set(name.split("/")) or name.endswith(".pyc"):
        return False
    path = folder / name
    return path.is_file() and (not path.is_symlink() or folder.resolve() in path.resolve().parents)


def _by_git(folder: Path) -> list[str] | None:
    """As git lists them: in its repository, or else with a passing one of no content. None without git."""
    words = ("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    inside = said([*_GIT, "rev-parse", "--is-inside-work-tree"], folder=folder)
    if inside is not None:
        return _names(said([*_GIT, *words], folder=folder))
    with TemporaryDirectory(prefix="mled-") as scratch:
        if said([*_GIT, "init", "-q", "--bare", scratch]) is None:
            return None
        return _names(said([*_GIT, f"--git-dir={scratch}", f"--work-tree={folder}", *words], folder=folder))


def _names(answer: bytes | None) -> list[str] | None:
    return None if answer is None else [name for name in answer.decode("utf-8", "surrogateescape").split("\0") if name]


def _by_walking(folder: Path) -> Iterable[str]:
    """Without git: all but what the folder's .gitignore names in its simple lines."""
    patterns = _simple_patterns(folder / ".gitignore")
    for place, folders, files in os.walk(folder):
        below = Path(place).relative_to(folder).as_posix()
        prefix = "" if below == "." else f"{below}/"
        folders[:] = sorted(one for one in folders if one not in NEVER and not _ignored(f"{prefix}{one}", patterns))
        yield from (f"{prefix}{one}" for one in files if not _ignored(f"{prefix}{one}", patterns))


def _simple_patterns(file: Path) -> list[str]:
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return []
    kept = [line for line in lines if line and not line.startswith("#")]
    if any(line.startswith("!") for line in kept):
        raise Usage("Its .gitignore has exceptions, which only git can read.", hint="Install git.", field="--folder")
    return [line.rstrip("/") for line in kept]


def _ignored(name: str, patterns: Sequence[str]) -> bool:
    last = name.rpartition("/")[2]
    return any(
        fnmatch.fnmatch(name, pattern.lstrip("/")) if "/" in pattern else fnmatch.fnmatch(last, pattern)
        for pattern in patterns
    )


def _write(folder: Path, names: Sequence[str], file: BinaryIO) -> None:
    """Nothing of this machine but names, content, and what may be executed: the same folder gives the same archive."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            path = folder / name
            with path.open("rb") as content:
                about = tarfile.TarInfo(name)
                status = os.fstat(content.fileno())
                about.size, about.mode = status.st_size, 0o755 if status.st_mode & 0o100 else 0o644
                tar.addfile(about, content)
