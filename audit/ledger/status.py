"""What troubles the sequencer, for other processes to tell: small files below MLED_DATA, which they share.

Not in the database: that may be the trouble, and a role that only sequences writes nothing else there.
"""

import datetime as dt
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
from django.conf import settings

from kernel.clock import now

WORDS_MAX = 400
VERIFIED = "verified"


class Noted(msgspec.Struct, frozen=True):
    """A trouble: since when, where where it has a name, and in which words it was met last."""

    since: str
    words: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What a trouble is kept under."""

    name: str
    where: str = ""


STOPPED = Note("sequencer-stopped")


def of_place(name: str) -> Note:
    """The note that a place of anchors cannot be written."""
    return Note(f"anchors-fail-{sha256(name.encode()).hexdigest()[:16]}", name)


def note_trouble(note: Note, words: str) -> None:
    """Keep that there is trouble; since when is said by the first note of it."""
    path, before = _path(note.name), noted(note)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    what = Noted(before.since if before else now().isoformat(), words[:WORDS_MAX], note.where)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    draft.write_bytes(msgspec.json.encode(what))
    draft.replace(path)


def forget(note: Note) -> None:
    """It is over."""
    _path(note.name).unlink(missing_ok=True)


def noted(note: Note) -> Noted | None:
    """The trouble that is kept under this."""
    try:
        return msgspec.json.decode(_path(note.name).read_bytes(), type=Noted)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def failing_places() -> list[Noted]:
    """Places that anchors cannot be written to."""
    notes = [Note(path.stem) for path in sorted(_path("").parent.glob("anchors-fail-*.json"))]
    return [found for found in map(noted, notes) if found is not None]


def note_reached(place: str, checkpoint: int) -> None:
    """Keep how far a place of anchors is known to be."""
    path = _path(_reached(place))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    draft.write_bytes(msgspec.json.encode(checkpoint))
    draft.replace(path)


def reached(place: str) -> int | None:
    """The newest checkpoint that a place is known to have; None where nobody has said."""
    try:
        return msgspec.json.decode(_path(_reached(place)).read_bytes(), type=int)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


class Verified(msgspec.Struct, frozen=True):
    """What verify_ledger said when it ran last."""

    at: dt.datetime
    is_sound: bool
    events: int
    problems: int


def note_verified(*, is_sound: bool, events: int, problems: int) -> None:
    """Keep what a whole verification found."""
    path = _path(VERIFIED)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    draft.write_bytes(msgspec.json.encode(Verified(now(), is_sound, events, problems)))
    draft.replace(path)


def verified() -> Verified | None:
    """What the last verification said; None where there was none here."""
    try:
        return msgspec.json.decode(_path(VERIFIED).read_bytes(), type=Verified)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _reached(place: str) -> str:
    return f"anchors-reach-{sha256(place.encode()).hexdigest()[:16]}"


def _path(name: str) -> Path:
    return Path(settings.MLED_DATA) / "status" / f"{name}.json"
