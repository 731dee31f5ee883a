"""The tabs of a page that has several: they are the same kind of thing in every room."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: where it leads and how much is there."""

    key: str
    label: str
    url: str
    count: int | None = None
