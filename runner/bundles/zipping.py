"""A bundle as a zip, written while it is read: the same bytes for the same bundle, any size, constant memory."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from artifacts.storage import StoredBlob, blobs
from artifacts.zipping import Outgoing
from runner.bundles.contents import Bundle

CHUNK: Final = 256 * 1024
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)  # no clock: a zip of the same is the same


def zipped(bundle: Bundle) -> Iterator[bytes]:
    """The zip, piece by piece, in the order of its paths. Raises BlobDamaged on the way."""
    outgoing = Outgoing()
    sources: dict[str, bytes | Path | StoredBlob] = {**bundle.small, **bundle.stored}
    if bundle.code is not None:
        for place in bundle.code.rglob("*"):
            if place.is_file() and not place.is_symlink() and "__pycache__" not in place.parts:
                sources[f"code/{place.relative_to(bundle.code).as_posix()}"] = place
    with zipfile.ZipFile(outgoing, "w", allowZip64=True) as archive:  # type: ignore[call-overload]
        for path in sorted(sources):
            yield from _entry(archive, outgoing, f"{bundle.name}/{path}", sources[path])
    yield outgoing.taken()


def _entry(
    archive: zipfile.ZipFile, outgoing: Outgoing, name: str, source: bytes | Path | StoredBlob
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, _EARLIEST)
    info.external_attr = 0o644 << 16
    if isinstance(source, bytes):
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, source, compresslevel=6)
        yield outgoing.taken()
        return
    is_file = isinstance(source, Path)
    size = source.stat().st_size if isinstance(source, Path) else source.size_bytes
    info.compress_type = zipfile.ZIP_DEFLATED if is_file else zipfile.ZIP_STORED
    reader: IO[bytes] = source.open("rb") if isinstance(source, Path) else blobs().open(source)
    with reader, archive.open(info, "w", force_zip64=size >= 2**31) as entry:
        while chunk := reader.read(CHUNK):
            entry.write(chunk)
            yield outgoing.taken()
