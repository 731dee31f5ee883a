"""How people and protocols name a run: by 32 hex digits, or readably as VIS-123; and other things by their number."""

import re
import uuid

_READABLE = re.compile(r"^([A-Z][A-Z0-9]{1,9})-(\d{1,18})$")


def uid_in(ref: str) -> uuid.UUID | None:
    """The run's id that a text is, with hyphens or without; None where it is none."""
    try:
        return uuid.UUID(ref) if len(ref) in (32, 36) else None
    except ValueError:
        return None


def number_in(ref: str) -> int | None:
    """The number that a text is, such as the key of an experiment; None where it is none, or larger than keys are."""
    return int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 19 else None


def readable_id_in(ref: str) -> tuple[str, int] | None:
    """('VIS', 123) for VIS-123, in any case; None for what is no readable id."""
    match = _READABLE.match(ref.upper())
    return (match[1], int(match[2])) if match else None
