"""Folders that are made once, shared by jobs, and go once nobody used them for long: environments, images.

One is whole once its mark lies beside it, where nothing that is put into it can write.
"""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from fcntl import LOCK_SH, flock
from pathlib import Path
from typing import Any

from runner.executors.watching import size_of
from runner.working.workplace_folders import cleared, held_if_free


def mark_of(place: Path) -> Path:
    """What says that it is whole, and what is known of it."""
    return place.with_suffix(".ready")


def mark_ready(place: Path, about: Mapping[str, Any]) -> None:
    """From now on it is whole: what is not marked is made anew."""
    aside = place.with_suffix(".aside")
    aside.write_text(json.dumps(about), encoding="utf-8")
    aside.replace(mark_of(place))


def about(place: Path) -> dict[str, Any]:
    """What is known of one that is whole."""
    return dict(json.loads(mark_of(place).read_text(encoding="utf-8")))


def taken(place: Path) -> int:
    """A descriptor while which nobody takes it away. Call it while the lock beside it is held."""
    os.utime(mark_of(place))  # the longest unused go first
    holds = os.open(place.with_suffix(".used"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    flock(holds, LOCK_SH)
    return holds


def collect(folder: Path, *, at_most: int, unused_seconds: float) -> int:
    """Take away what no job used for so long and none uses now, and the longest unused beyond so many bytes; returns
    how many went. What a worker that died left half made goes, too, once it is as old."""
    gone, kept, oldest = 0, 0, time.time() - unused_seconds
    found = [(_touched(place), place) for place in folder.iterdir() if place.is_dir()]
    for touched, place in sorted(found, reverse=True):
        size = size_of(place, at_most)
        is_kept = touched >= oldest and (kept + size <= at_most or not mark_of(place).is_file())
        if is_kept or not _taken_away(place):
            kept += size
        else:
            gone += 1
    return gone


def _touched(place: Path) -> float:
    """When it was used last, or begun to be made; 0 for what has just gone."""
    for one in (mark_of(place), place):
        with suppress(FileNotFoundError):
            return one.stat().st_mtime
    return 0.0


def _taken_away(place: Path) -> bool:
    """Whether it went. Both locks are needed: nobody is about to take it, and nobody has it."""
    lock, used = place.with_suffix(".lock"), place.with_suffix(".used")
    with held_if_free(lock) as nobody_comes, held_if_free(used) as nobody_has_it:
        is_free = nobody_comes and nobody_has_it
        if is_free:
            mark_of(place).unlink(missing_ok=True)
            cleared(place)
    return is_free
