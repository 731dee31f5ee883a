"""Room on the disks: a full one stops everything at once."""

import os
import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection

from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.diagnostics.words import size

NO_ROOM_BYTES = 100 * 1024**2
INODES_SHARE = 0.05


@check("disk", "Disk", seconds=5)
def disk(notes: Notes) -> None:
    """How much room is left for data, logs and temporary files."""
    seen: set[int] = set()
    for name, path in places():
        try:
            device = path.stat().st_dev
            used, room = shutil.disk_usage(path), os.statvfs(path)
        except OSError as error:
            notes.fail(
                "disk.unreadable",
                f"{name} ({path}) cannot be looked at: {error.strerror}.",
                "Mount it, or set its path anew.",
            )
            continue
        notes.figure(name, f"{size(used.free)} of {size(used.total)} free, {path}")
        if device not in seen:
            _judge(notes, name, used.free, room)
        seen.add(device)


def places() -> list[tuple[str, Path]]:
    """What fills up, by name."""
    found = [("Data", Path(settings.MLED_DATA)), ("Temporary files", Path(tempfile.gettempdir()))]
    blobs = str(settings.MLED_BLOBS)
    if "://" not in blobs:
        found.insert(1, ("Files", Path(blobs)))
    name = settings.DATABASES["default"]["NAME"]
    if connection.vendor == "sqlite" and Path(str(name)).is_absolute():
        found.append(("Database file", Path(str(name)).parent))
    return [(title, path if path.exists() else path.parent) for title, path in found]


def _judge(notes: Notes, name: str, free: int, room: os.statvfs_result) -> None:
    if free < NO_ROOM_BYTES:
        notes.fail(
            "disk.full",
            f"{name}: no room is left ({size(free)}). Uploads and writes are refused.",
            "Make room or enlarge the disk now. manage.py collect_blobs takes away files that nothing names any more.",
        )
    elif free < settings.MLED_LEAST_FREE_BYTES:
        notes.warn(
            "disk.nearly_full",
            f"{name}: {size(free)} are left, less than {size(settings.MLED_LEAST_FREE_BYTES)}.",
            "Enlarge the disk, or make room, before it is full. MLED_LEAST_FREE_BYTES says when to warn.",
        )
    if room.f_files and room.f_favail < room.f_files * INODES_SHARE:
        notes.warn(
            "disk.inodes",
            f"{name}: only {room.f_favail:,} of {room.f_files:,} files more can be made.",
            "Remove small files that nobody needs, or make the file system anew with more inodes.",
        )
