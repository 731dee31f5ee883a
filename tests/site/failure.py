"""One failure, and where somebody meets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """One failure. what, next_step: as they are told, '…' for what differs; code '' where only words are told."""

    name: str
    code: str
    what: str
    next_step: str
    has_id: bool = False


@dataclass(frozen=True)
class Door:
    """Where somebody meets failures."""

    title: str
    about: str
    failures: tuple[Failure, ...]


def asked(name: str, code: str, what: str, next_step: str) -> Failure:
    """A failure of a request: its answer bears an id."""
    return Failure(name, code, what, next_step, has_id=True)
