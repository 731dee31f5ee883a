"""What MLED_BLOBS and MLED_ANCHORS say: a directory, or s3://bucket/prefix?option=…"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_ANCHOR_OPTIONS: Final = frozenset({"endpoint", "region", "addressing", "lock_days", "lock_mode"})
_OPTIONS: Final = frozenset({"endpoint", "public", "region", "addressing", "lock_days", "lock_mode"})


class BadPlace(ValueError):
    """An address cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, and how to reach it.

    prefix: '' or ends with a slash. endpoint: None for AWS itself. public: the endpoint as clients reach it; where it
    is set, they fetch and send large files there directly. lock_days: how long an object cannot be removed, 0 for none.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    public: str | None = None
    region: str | None = None
    addressing: str = "auto"
    lock_days: int = 0
    lock_mode: str = "GOVERNANCE"


def is_s3(place: str) -> bool:
    """Whether a place is a bucket, rather than a directory."""
    return place.startswith("s3://")


def s3_place(place: str, *, lock_days: int = 0) -> S3Place:
    """Read the s3:// address in MLED_BLOBS. lock_days: where the address says nothing of it. Raises BadPlace."""
    return _read(place, "MLED_BLOBS", _OPTIONS, lock_days=lock_days, lock_mode="governance")


def anchors_place(place: str) -> S3Place:
    """Read an s3:// address in MLED_ANCHORS: where it locks, nobody may unlock. Raises BadPlace."""
    return _read(place, "MLED_ANCHORS", _ANCHOR_OPTIONS, lock_days=0, lock_mode="compliance")


def _read(place: str, setting: str, known: frozenset[str], *, lock_days: int, lock_mode: str) -> S3Place:
    parts = urlsplit(place)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - known):
        raise BadPlace(f"{setting} has no option '{unknown[0]}'; there are {', '.join(sorted(known))}.")
    if not parts.netloc or "@" in parts.netloc:
        raise BadPlace(f"{setting} names no bucket: s3://bucket/prefix; credentials come from the environment.")
    prefix = parts.path.strip("/")
    mode = _one_of(setting, "lock_mode", options.get("lock_mode", lock_mode), ("governance", "compliance"))
    return S3Place(
        bucket=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=options.get("endpoint"),
        public=options.get("public"),
        region=options.get("region"),
        addressing=_one_of(setting, "addressing", options.get("addressing", "auto"), ("auto", "path", "virtual")),
        lock_days=_days(options.get("lock_days", str(lock_days))),
        lock_mode=mode.upper(),
    )


def _one_of(setting: str, name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise BadPlace(f"The option {name} of {setting} is one of {', '.join(known)}, not '{value}'.")
    return value


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 36_500):
        raise BadPlace(f"Objects are locked for a number of days, not '{text}'.")
    return int(text)
