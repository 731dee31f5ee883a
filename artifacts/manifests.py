"""A whole tree of files at once: what a dataset version is made of, and the digest that names it."""

import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import sha256

from artifacts import quotas
from artifacts.blobs import know_all
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.paths import checked_path, parents
from artifacts.sizes import size_words
from artifacts.storage import StoredBlob
from artifacts.trees import RECORDED_AS, recorded, recorded_id
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid

FILES_MAX = 100_000
_ROWS_AT_ONCE = 1000

Manifest = Sequence[tuple[str, StoredBlob]]
"""Paths with the content that lies there."""


def checked_manifest(files: Iterable[tuple[str, StoredBlob]]) -> list[tuple[str, StoredBlob]]:
    """The files in order of their paths (UTF-8 bytes), or Invalid.

    Refused: no file at all, too many, a path that leads out, the same path twice, two that differ only in the case of
    letters (they are one file on Windows and macOS), and a file where another path needs a folder.
    """
    wanted = sorted(files, key=lambda file: file[0].encode(errors="surrogatepass"))
    if not wanted:
        raise Invalid("A version needs at least one file.", hint="Choose files to upload.", field="files")
    if len(wanted) > FILES_MAX:
        raise Invalid(
            f"A version has at most {FILES_MAX:,} files; these are {len(wanted):,}.",
            hint="Pack many small files into a few large ones.",
            field="files",
        )
    _check_paths([path for path, _ in wanted])
    return wanted


def _check_paths(paths: Sequence[str]) -> None:
    known: dict[str, str] = {}
    for path in paths:
        checked_path(path, "files")
        one = _as_one_file(path)
        if one in known:
            raise _clash(path, known[one])
        known[one] = path
    for path in paths:
        for folder in parents(_as_one_file(path)):
            if folder in known:
                raise Invalid(
                    f"'{known[folder][:200]}' is a file, so '{path[:200]}' cannot lie in it.",
                    hint="Rename one of the two.",
                    field="files",
                )


def _as_one_file(path: str) -> str:
    """The same text for paths that some machine takes for one file: case and composed letters do not count."""
    return unicodedata.normalize("NFC", path).casefold()


def _clash(path: str, other: str) -> Invalid:
    if path == other:
        return Invalid(f"The path '{path[:200]}' is there twice.", hint="Send each file once.", field="files")
    return Invalid(
        f"'{other[:200]}' and '{path[:200]}' differ only in capital letters: on many machines they are one file.",
        hint="Rename one of the two.",
        field="files",
    )


def tree_digest(files: Manifest) -> str:
    """SHA-256 over a list of all files, as 64 hex digits.

    The list has, for each file in order of the UTF-8 bytes of its path: the SHA-256 of its content in hex, two spaces,
    the path, and a NUL byte. Anybody can compute it with coreutils, in the folder of the files:

        find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum

    files: from `checked_manifest`.
    """
    whole = sha256()
    for path, stored in files:
        whole.update(f"{stored.digest}  {path}\0".encode())
    return whole.hexdigest()


def plant(actor: Actor, root: ArtifactRoot, files: Manifest) -> None:
    """Put all files below a new root, in a few statements for any number.

    Part of an action. files: from `checked_manifest`. Raises Unavailable where content was cleared away meanwhile,
    QuotaReached.
    """
    size = sum(stored.size_bytes for _, stored in files)
    quotas.take(actor, root.project_id, size, of=f"this version has {size_words(size)}")
    know_all([stored for _, stored in files])
    at = now()
    rows = [
        ArtifactFile(
            root=root,
            path=path,
            blob_id=stored.digest,
            size_bytes=stored.size_bytes,
            created_by_id=actor.user_id,
            created_at=at,
        )
        for path, stored in files
    ]
    ArtifactFile.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    told = {path: (None, recorded(stored.digest, stored.size_bytes)) for path, stored in files}
    current_act().record(RECORDED_AS, recorded_id(root), "set", told)
