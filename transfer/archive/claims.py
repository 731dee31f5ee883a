"""What belongs to the place where a thing was made: whose it is there, and when its server took it in."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from accounts.models import User
from transfer.archive.records import PersonRecord

_BROUGHT = re.compile(r"> Written by (?P<by>[^\n]{1,150}) on (?P<on>\d{4}-\d\d-\d\d), brought in from an archive\.\n\n")


class People:
    """Everybody who is named in an archive."""

    def __init__(self) -> None:
        self._ids: set[UUID] = set()

    def claim(self, **columns: Any) -> dict[str, Any]:
        """Columns as claims: people by id, moments in ISO 8601; empty ones are left out."""
        told = {}
        for name, value in columns.items():
            if name.endswith("_by") and isinstance(value, UUID):
                self._ids.add(value)
                told[name] = value.hex
            elif isinstance(value, dt.datetime):
                told[name] = value.astimezone(dt.UTC).isoformat()
            elif value not in (None, ""):
                told[name] = value
        return told

    def records(self) -> Iterator[PersonRecord]:
        """Everybody, by id: a name and nothing else."""
        for user in User.objects.filter(pk__in=self._ids).order_by("pk"):
            yield PersonRecord(id=user.pk.hex, name=str(user.name or "")[:2000], is_service=user.is_service)


def names_of(people: Iterable[PersonRecord]) -> dict[str, str]:
    """Names by id."""
    return {one.id: one.name for one in people if one.name}


def said_by(text: str, by: str, on: str) -> str:
    """A comment of somebody from elsewhere, with a first line that says so."""
    name = " ".join(by.split())[:150] or "somebody"
    return f"> Written by {name} on {on[:10]}, brought in from an archive.\n\n{text}"


def without_said_by(text: str) -> tuple[str, str, str]:
    """The text itself, with the name and the day that its first line claims, if it does."""
    found = _BROUGHT.match(text)
    return (text[found.end() :], found["by"], found["on"]) if found else (text, "", "")
