"""The objects of a project that have a history, and how an address calls each kind."""

import re
from functools import cache
from typing import Any

from accounts.scoping import ProjectScoped
from artifacts.models import DatasetVersion
from audit.ledger.tracking import tracked_models


@cache
def kinds() -> dict[str, type[Any]]:
    """The objects of a project that have a history, by the word that an address uses: 'saved-view'."""
    scoped: list[type[Any]] = [one for one in tracked_models() if ProjectScoped in one.__mro__]
    every: list[type[Any]] = [*scoped, DatasetVersion]
    return {word_of(one): one for one in every}


def word_of(model: type[Any]) -> str:
    """How an address calls this kind of object."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", model.__name__).lower()
