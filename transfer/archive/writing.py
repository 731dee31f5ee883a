"""Making one zip of what was gathered: stored, in a fixed order, without times of its own; of any size."""

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from artifacts.storage import StoredBlob, blobs
from kernel.errors import Unavailable
from transfer.archive.layout import (
    FORMAT,
    KINDS,
    LEDGER,
    MANIFEST,
    METRICS,
    MODEL_METRICS,
    PEOPLE,
    README,
    README_TEXT,
    VERSION,
    file_member,
)
from transfer.archive.records import content_digest

PIECE = 1024 * 1024
_DAY = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say


class ArchiveWriter:
    """Writes members one after the other, and remembers what each holds."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True)
        self.members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, pieces: Iterable[bytes], *, size_bytes: int) -> str:
        """Write a member; its SHA-256."""
        info = zipfile.ZipInfo(name, _DAY)
        info.external_attr, info.create_system = 0o100644 << 16, 3
        info.file_size = size_bytes
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=size_bytes > zipfile.ZIP64_LIMIT // 2) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        self.members[name] = {"sha256": digest.hexdigest(), "size_bytes": size}
        return digest.hexdigest()

    def close(self) -> None:
        """Write the directory."""
        self._zip.close()


def write_archive(
    out: BinaryIO,
    folder: Path,
    gathered: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    with_files: bool,
    tell: Callable[[str, int, int | None], None],
) -> str:
    """Write everything; the digest of the content. about: what the manifest says of project and software.

    Raises Unavailable where a file's content is damaged.
    """
    archive = ArchiveWriter(out)
    archive.add(README, [README_TEXT.encode()], size_bytes=len(README_TEXT))
    for name in (*KINDS.values(), METRICS, MODEL_METRICS, PEOPLE, LEDGER):
        path = folder / name
        if path.exists():
            archive.add(name, _pieces(path), size_bytes=path.stat().st_size)
    members = dict(archive.members)
    contents: dict[str, int] = gathered["contents"]
    for done, (digest, size_bytes) in enumerate(sorted(contents.items()) if with_files else ()):
        tell("files", done, len(contents))
        with blobs().open(StoredBlob(digest, size_bytes)) as file:
            found = archive.add(file_member(digest), _told(file, tell, done, len(contents)), size_bytes=size_bytes)
        if found != digest:
            raise Unavailable(f"The stored content {digest[:12]}… is damaged.", hint="See the administrator's page.")
    told = {
        **about,
        "format": FORMAT,
        "version": VERSION,
        "log": gathered["log"],
        "digest": content_digest(gathered["content"]),
        "content": gathered["content"],
        "counts": gathered["counts"],
        "members": members,
        "files": {"count": len(contents), "size_bytes": sum(contents.values()), "held": with_files},
    }
    manifest = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
    archive.add(MANIFEST, [manifest], size_bytes=len(manifest))
    archive.close()
    return str(told["digest"])


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _told(file: BinaryIO, tell: Callable[[str, int, int | None], None], done: int, total: int) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
        tell("files", done, total)


def has_room(folder: Path, size_bytes: int) -> bool:
    """Whether the disk of a folder takes so many bytes more."""
    return shutil.disk_usage(folder).free > size_bytes + (64 << 20)
