"""The code as it is now: commit, branch, repository, and what is not committed as a patch that `git apply` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mled.capture.programs import said
from mled.capture.secrecy import address_without_passwords, is_secret_file

PATCH_MAX = 10 * 1024 * 1024  # bytes
NEW_FILE_MAX = 1024 * 1024  # bytes of a file that git does not know yet
FOLDER = "mled.folder"
_GIT = ("git", "-c", "core.quotepath=off", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false")
_DIFF = ("diff", "--binary", "--no-color", "--no-ext-diff", "--no-textconv")


@dataclass(frozen=True)
class Code:
    """What git says. folder: where in the repository one stands.

    patch: of everything that is not committed; left_out: what was too large for it, or commonly holds secrets.
    """

    commit: str = ""
    branch: str = ""
    folder: str = ""
    repository: str = ""
    is_dirty: bool = False
    patch: bytes = b""
    left_out: tuple[str, ...] = ()

    def tags(self) -> dict[str, str]:
        """As MLflow's own tags of source code; none outside of a repository."""
        if not self.commit:
            return {}
        told = {
            "mlflow.source.git.commit": self.commit,
            "mlflow.source.git.branch": self.branch,
            "mlflow.source.git.repoURL": self.repository,
            "mlflow.source.git.dirty": "true" if self.is_dirty else "false",
            FOLDER: self.folder,
        }
        return {key: value for key, value in told.items() if value}


def code_in(folder: Path) -> Code:
    """The code of the repository that a folder lies in."""
    root = _asked(folder, "rev-parse", "--show-toplevel")
    commit = _asked(folder, "rev-parse", "--verify", "HEAD")
    if not root or not commit:
        return Code()
    place = Path(root)
    branch = _asked(place, "rev-parse", "--abbrev-ref", "HEAD")
    new = [name for name in _raw(place, "ls-files", "--others", "--exclude-standard", "-z").split("\0") if name]
    patch, left_out = _patch(place, new)
    return Code(
        commit=commit,
        folder=_asked(folder, "rev-parse", "--show-prefix").rstrip("/"),
        branch="" if branch == "HEAD" else branch,
        repository=address_without_passwords(_asked(place, "config", "--get", "remote.origin.url")),
        is_dirty=bool(patch or left_out),
        patch=patch,
        left_out=left_out,
    )


def _patch(root: Path, new: list[str]) -> tuple[bytes, tuple[str, ...]]:
    """Everything that is not committed; what is too large, or commonly holds secrets, is named instead."""
    changed = [name for name in _raw(root, "diff", "--name-only", "-z", "HEAD").split("\0") if name]
    secret = [name for name in changed if is_secret_file(name)]
    but = [f":(top,exclude,literal){name}" for name in secret]
    known = said([*_GIT, *_DIFF, "HEAD", "--", ":/", *but], folder=root) or b""
    if len(known) > PATCH_MAX:
        return b"", (*secret, "the changes of the files that git knows")
    parts, left_out, size = [known], [*secret], len(known)
    for name in new:
        part = None if is_secret_file(name) else _as_new(root, name)
        if part is None or size + len(part) > PATCH_MAX:
            left_out.append(name)
            continue
        parts.append(part)
        size += len(part)
    return b"".join(parts), tuple(left_out)


def _as_new(root: Path, name: str) -> bytes | None:
    path = root / name
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > NEW_FILE_MAX:
            return None
    except OSError:
        return None
    return said([*_GIT, *_DIFF, "--no-index", "--", "/dev/null", name], folder=root, may_fail_with=(0, 1))


def _asked(folder: Path, *words: str) -> str:
    return _raw(folder, *words).strip()


def _raw(folder: Path, *words: str) -> str:
    answer = said([*_GIT, *words], folder=folder, more={"GIT_OPTIONAL_LOCKS": "0"})
    return (answer or b"").decode("utf-8", "surrogateescape")
