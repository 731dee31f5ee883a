"""The files of a built-in trainer as one zip, kept with each run of it: MLED is updated, the run stays as it was."""

import io
import zipfile
import zlib
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

UNPACKED_MAX: Final = 16 * 1024**2  # bytes; a zip that says more is none of ours
_SUFFIXES: Final = (".py", ".txt", ".md")
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # no clock: the same files give the same bytes


def packed(folder: Path) -> bytes:
    """All of its files, by path."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(folder.rglob("*")):
            if place.is_file() and "__pycache__" not in place.parts:
                info = zipfile.ZipInfo(place.relative_to(folder).as_posix(), _EARLIEST)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, place.read_bytes())
    return whole.getvalue()


def kept_path(trainer: str) -> str:
    """Where it lies among the files of a run."""
    return f"code/{trainer}.zip"


def digest_over(files: Iterable[tuple[PurePath, bytes]]) -> str:
    """SHA-256 over the files of a trainer: each path and content, by path."""
    whole = sha256()
    for path, content in sorted((path, content) for path, content in files if path.suffix in _SUFFIXES):
        whole.update(f"{path.as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def digest_of_packed(content: bytes) -> str:
    """The same over the files in a zip, which anybody may have sent; '' for what is none, or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            if sum(one.file_size for one in members) > UNPACKED_MAX:
                return ""
            return digest_over((PurePosixPath(one.filename), archive.read(one)) for one in members)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
        return ""
