"""The ways in that the page of imports and exports offers. Each kind of import adds its own when it starts."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Project


@dataclass(frozen=True, slots=True)
class ImportForm:
    """A form for one kind of import: its label, what it takes in, an icon, and its address."""

    label: str
    words: str
    icon: str
    url: Callable[[Project], str]


import_forms: list[ImportForm] = []
